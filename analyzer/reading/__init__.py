"""Pitch text to signals: prompts, models and their servers, the keyword reader, recordings, and the check of every quote."""
