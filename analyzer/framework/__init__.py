"""Signals to an assessment: rulebook, market map, score formula, ranking. Pure; reads its own data files only."""
