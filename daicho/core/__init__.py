"""What every room needs and no room owns: actor, errors, clock, ids, text, tables of cells. No business words, no tables."""
