"""The demonstration's own world: an invented vendor, its partners and customers, made by the product's own commands."""
