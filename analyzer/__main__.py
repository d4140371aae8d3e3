"""`python -m analyzer` is `pitch`."""

from analyzer.cli.main import main

main()
