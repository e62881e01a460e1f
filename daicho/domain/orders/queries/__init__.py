"""What people read of orders."""
