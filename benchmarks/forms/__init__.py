"""The forms of asking, measured on the same texts."""
