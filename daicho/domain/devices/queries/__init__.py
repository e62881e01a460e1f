"""What people read of devices."""
