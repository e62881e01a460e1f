"""One module per command, found by itself: `register(subparsers)` adds the parser and sets `run` to what does it."""
