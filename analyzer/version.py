"""The program's version: here, since asking the installed package for it takes long."""

__version__ = "0.1.0"
