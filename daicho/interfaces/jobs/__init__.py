"""The worker: what Daicho does by itself."""
