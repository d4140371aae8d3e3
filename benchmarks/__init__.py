"""Programs that measure this one: speed, memory, and how well real texts are read."""
