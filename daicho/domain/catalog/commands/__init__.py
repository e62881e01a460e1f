"""What the operator does to the catalog."""
