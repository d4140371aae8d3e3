"""A model server that behaves as known servers do: one behavior for each model name."""
