"""The version of the agent, as the server is told it."""

VERSION = "0.1.0"
