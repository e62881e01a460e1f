"""The door for devices (docs/device-protocol.md): a bare front before Django, whose requests share commits."""
