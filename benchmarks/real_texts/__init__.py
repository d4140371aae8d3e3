"""How well readers read real texts. The project has their sources, spans and manual scores, not the texts."""
