"""How well readers read real texts, which the project does not carry: sources, spans and manual scores stand in for them."""
