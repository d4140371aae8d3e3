"""What outlives a run: stored answers, saved assessments, manual scores. All SQL of the project is here."""
