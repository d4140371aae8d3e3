"""From pitch to assessment: one pitch, many, a bulk run, repeated readings."""
