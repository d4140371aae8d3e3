"""Pitch text to signals: documents, the language model, the keyword reader, recordings, and the check of every quote."""
