"""Signals to assessment: the rulebook (data), what it looks at, and the scorer. Pure; reads its own data files only."""
