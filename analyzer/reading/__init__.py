"""Pitch text to signals: the language model, the keyword reader, recordings, the check of every quote."""
