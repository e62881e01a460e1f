"""The console of the machine's owner: `daicho serve | worker | migrate | …`."""
