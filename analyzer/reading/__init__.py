"""Pitch text to signals: documents, the language model, the keyword reader, recordings, the check of every quote."""
