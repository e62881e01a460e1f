"""Bounds of the ledger (product.md §3)."""

MAX_QUANTITY = 2**53 - 1
MAX_LINES = 10_000
