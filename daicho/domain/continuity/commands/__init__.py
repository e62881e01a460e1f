"""What people do when a device fails, and when old licenses become new ones."""
