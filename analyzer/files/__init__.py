"""Files that people bring: documents of every kind to text."""
