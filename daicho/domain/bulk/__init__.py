"""Bulk: work that takes longer than a page may, run by the worker with progress and a result."""
