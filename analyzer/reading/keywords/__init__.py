"""The reader without a model: cue phrases and the rules by which they count. Rough, and says so."""
