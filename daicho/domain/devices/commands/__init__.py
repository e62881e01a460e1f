"""What people do with the records of their devices. Licenses on a device are moved by ledger commands."""
