"""Tests state behaviour: of the library, the widgets, the notebooks, and the project around them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The repository."""
