"""`python -m analyzer` is `pitch`."""

from analyzer.cli import main

main()
