"""capslib: the small library behind a notebook course that teaches capsule networks."""
