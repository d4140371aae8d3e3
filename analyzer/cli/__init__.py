"""The `pitch` command. Each command parses, makes one call and shows the result once; a family of commands has a file.

Results go to standard output, everything else to standard error. Modules that take long to load are imported by the
commands that need them.
"""
