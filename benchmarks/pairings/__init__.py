"""How many wrong pairings of values and quotes rules and a second look stop, and how many true ones."""
