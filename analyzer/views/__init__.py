"""How results look in the terminal, in reports and on the page; decided once, here."""
