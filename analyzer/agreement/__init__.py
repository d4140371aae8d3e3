"""Extracted readings against manual scores: what is compared, the figures, and where score differences come from."""
