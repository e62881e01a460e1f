"""Daicho (台帳, "ledger"): an open, self-hosted Smart Account platform."""

from importlib.metadata import version

__version__ = version("daicho")
