"""The web edition: all lessons as a static site, `make site`."""
