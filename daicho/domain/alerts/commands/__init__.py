"""What people do with alerts and mail."""
