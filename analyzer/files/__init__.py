"""What comes from files and goes into them: documents, folders and tables of pitches, manual scores, safe writing."""
