"""Pitch text to signals: prompts, models and their servers, keywords, recordings, and the check of every quote."""
