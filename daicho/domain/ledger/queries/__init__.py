"""What people read of the ledger. Every query asks for a `Sight`, which only the door gives (queries/sight.py)."""
