"""The words of the project: one record for each signal, the signals document made of them, and how people read them."""
