"""The REST API, version 1: the portal's acts for programs. Holds no rules."""
