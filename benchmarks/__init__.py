"""What the course's claims of speed rest on: `make bench` measures them again and keeps them in `results/`."""

# Here, so that it comes before any import of TensorFlow in the modules.
import capslib.quiet  # noqa: F401
