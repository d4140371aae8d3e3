"""What comes from files and goes into them: documents to text, folders and tables of pitches, manual scores, safe writing."""
