"""How well readers read real texts. The project holds their sources, spans and manual scores, not the texts."""
