"""What people and programs do to rights, one module per process."""
