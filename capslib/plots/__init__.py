"""Every picture of the course. Each function draws one figure from plain arrays or a RoutingTrace and returns it."""

from capslib.plots.poses import *  # noqa: F403
