"""The command line: one file for each family of commands. A command parses, makes one call and prints one view."""
