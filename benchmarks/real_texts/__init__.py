"""How well readers read real texts. The project carries their sources, spans and manual scores, not the texts."""
