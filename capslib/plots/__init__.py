"""Every picture of the course, a file a theme. Each function draws one figure from plain arrays or a RoutingTrace.

All are drawn in the house style of capslib.style, whatever the process' own rcParams are, and leave those as they were.
`show` puts a figure into a notebook with its alt text; nothing here knows Keras. What the scripts in figures/ share is
in capslib.plots.board.
"""

from capslib.plots.answers import (
    accuracy_by_angle,
    confusion_matrix,
    digit_sheet,
    top_scores,
    turning_digit,
    two_answers,
)
from capslib.plots.attention import agreement_tables, couplings_and_prior, runs_with_intervals
from capslib.plots.base import described, figure, png, show
from capslib.plots.bugs import draw_look, looked_at, patient_beside_healthy
from capslib.plots.conditions import LOOKS, PART_NAMES, REFERENCES, curves
from capslib.plots.exercises import expected_and_got, text_page
from capslib.plots.gradients import WEIGHT, gradient_parts, gradient_paths, weights_and_sums
from capslib.plots.inside import (
    CELL,
    FAINT,
    VOTE,
    WINDOW,
    couplings_of_digits,
    film_strip,
    first_and_last,
    lower_capsule,
    two_opinions,
    vote_plane,
    votes_of_capsule,
)
from capslib.plots.layer import shuffled_capsules, two_ways_to_route, votes_as_product, votes_in_two_orders
from capslib.plots.margin import (
    margin_against_softmax,
    margin_descent,
    margin_pulls,
    margin_settled,
    margin_slopes,
    margin_terms,
)
from capslib.plots.marks import LINES, MARKERS, coupling_scale, draw_coupling, draw_grid, draw_lengths
from capslib.plots.pairs import two_digits
from capslib.plots.pose import against_bases, dimension_sweep, direction_spectra, read_from_codes, slopes_by_class
from capslib.plots.poses import (
    face_row,
    face_votes,
    ghost_votes,
    one_vote,
    patches_and_vectors,
    spread_over_turns,
    two_measures,
)
from capslib.plots.reconstruction import changed_dimension
from capslib.plots.routing import (
    WEIGHTED_VOTES,
    em_votes,
    labelled_curves,
    routing_iterations,
    routing_progress,
    routings_side_by_side,
    two_rules,
    votes_end_to_end,
    votes_of_parts,
)
from capslib.plots.speed import measured_curves, race_to_level, work_and_time
from capslib.plots.squash import squash_arrows, squash_gains, squash_lengths, squash_nudges, squash_ratios, squash_view
from capslib.plots.training import learning_rates, training_curves

__all__ = [
    "CELL",
    "FAINT",
    "LINES",
    "LOOKS",
    "MARKERS",
    "PART_NAMES",
    "REFERENCES",
    "VOTE",
    "WEIGHT",
    "WEIGHTED_VOTES",
    "WINDOW",
    "accuracy_by_angle",
    "against_bases",
    "agreement_tables",
    "changed_dimension",
    "confusion_matrix",
    "coupling_scale",
    "couplings_and_prior",
    "couplings_of_digits",
    "curves",
    "described",
    "digit_sheet",
    "dimension_sweep",
    "direction_spectra",
    "draw_coupling",
    "draw_grid",
    "draw_lengths",
    "draw_look",
    "em_votes",
    "expected_and_got",
    "face_row",
    "face_votes",
    "figure",
    "film_strip",
    "first_and_last",
    "ghost_votes",
    "gradient_parts",
    "gradient_paths",
    "labelled_curves",
    "learning_rates",
    "looked_at",
    "lower_capsule",
    "margin_against_softmax",
    "margin_descent",
    "margin_pulls",
    "margin_settled",
    "margin_slopes",
    "margin_terms",
    "measured_curves",
    "one_vote",
    "patches_and_vectors",
    "patient_beside_healthy",
    "png",
    "race_to_level",
    "read_from_codes",
    "routing_iterations",
    "routing_progress",
    "routings_side_by_side",
    "runs_with_intervals",
    "show",
    "shuffled_capsules",
    "slopes_by_class",
    "spread_over_turns",
    "squash_arrows",
    "squash_gains",
    "squash_lengths",
    "squash_nudges",
    "squash_ratios",
    "squash_view",
    "text_page",
    "top_scores",
    "training_curves",
    "turning_digit",
    "two_answers",
    "two_digits",
    "two_measures",
    "two_opinions",
    "two_rules",
    "two_ways_to_route",
    "vote_plane",
    "votes_as_product",
    "votes_end_to_end",
    "votes_in_two_orders",
    "votes_of_capsule",
    "votes_of_parts",
    "weights_and_sums",
    "work_and_time",
]
