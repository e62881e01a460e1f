"""Runs the command line: python -m daicho_agent."""

import sys

from daicho_agent.cli import main

sys.exit(main())
