"""PoseVotes: move, turn and scale the parts of a face, and watch each part's vote for the face's pose. (Lesson 02)"""

import json

import numpy as np
import traitlets

from capslib import faces, plots
from capslib.checks import check_whole
from capslib.poses import check_poses, spread
from capslib.widgets.base import Checked, Widget, frozen


def _flat_poses(name, numbers, count):
    """`count` poses as (count·9,), row after row."""
    numbers = frozen(name, numbers, (9 * count,))
    check_poses(name, numbers.reshape(count, 3, 3), (count, 3, 3), exact=True)
    return numbers


def _checked_words(name, text):
    if not isinstance(text, str):
        raise ValueError(f"{name}: got {text!r:.60}, expected a text")
    return text


class PoseVotes(Widget, script="pose_votes/index.js", styles="pose_votes.css"):
    """A drawn face whose parts the learner moves, and the vote of each part for the pose of the whole.

    `parts`, `votes` and `spread` are what the page shows. You can also set `parts`, `whole` and `ghosts`.

    Args:
        parts: (4, 3, 3) poses M of the parts in the picture, in the order of faces.PARTS.
        T: (4, 3, 3) the constant matrices, the whole as each part sees it; part i votes for parts[i] @ T[i].
        forms: the shapes of the head and the parts, as returned by `faces.forms`.
        whole: (3, 3) pose of the drawn head, which casts no vote; upright in the middle if None.
        ghosts: whether the whole face is drawn where each part votes for it.

    Raises:
        ValueError: naming the argument that is not as above; likewise when `parts` or `whole` is set later.
    """

    # Poses are sent as one list of numbers.
    _poses = Checked(_flat_poses, 5)  # of the whole and the parts
    _first = Checked(_flat_poses, 5, read_only=True)  # what reset restores
    _T = Checked(_flat_poses, 4, read_only=True)
    _forms = traitlets.List(read_only=True).tag(sync=True)  # of each of the five: [points (P, 2), radius] of strokes
    _chosen = Checked(
        check_whole, 0, 4, default=4
    )  # what sliders and keys change: 0, the whole, or 1 + part; the mouth
    _told = Checked(_checked_words, default="")  # what a button of the page did last
    ghosts = traitlets.Bool(True).tag(sync=True)
    _names = traitlets.List(list(faces.PARTS), read_only=True).tag(sync=True)

    def __init__(self, parts, T, forms, whole=None, ghosts=True):
        parts = check_poses("parts", parts, (4, 3, 3), exact=True)
        T = check_poses("T", T, (4, 3, 3), exact=True)
        whole = check_poses("whole", np.eye(3) if whole is None else whole, (3, 3), exact=True)
        poses = np.concatenate([[whole], parts]).ravel()
        strokes = [[[np.round(points, 3).tolist(), radius] for points, radius in form] for form in _forms(forms)]
        self.check_size({"forms": json.dumps(strokes).encode()})
        super().__init__(_poses=poses, _first=poses, _T=T.ravel(), _forms=strokes, ghosts=ghosts)

    @property
    def parts(self) -> np.ndarray:
        """(4, 3, 3) poses M of the parts in the picture, in the order of faces.PARTS."""
        return np.array(self._poses).reshape(5, 3, 3)[1:]

    @parts.setter
    def parts(self, parts):
        parts = check_poses("parts", parts, (4, 3, 3), exact=True)
        self._put(self.whole, parts)

    @property
    def whole(self) -> np.ndarray:
        """(3, 3) pose of the head. If you set it, the parts move with the head."""
        return np.array(self._poses[:9]).reshape(3, 3)

    @whole.setter
    def whole(self, whole):
        whole = check_poses("whole", whole, (3, 3), exact=True)
        self._put(whole, whole @ np.linalg.inv(self.whole) @ self.parts)

    def _put(self, whole, parts):
        with self.hold_sync():
            self._told = ""
            self._poses = np.concatenate([[whole], parts]).ravel()

    @property
    def votes(self) -> np.ndarray:
        """(4, 3, 3) the parts' votes for the pose of the whole, parts @ T."""
        return self.parts @ self._T.reshape(4, 3, 3)

    @property
    def spread(self) -> float:
        """How far apart the votes are, in pixels; see `poses.spread`."""
        return float(spread(self.votes))

    def describe(self) -> str:
        places = [f"({x:z.1f}, {y:z.1f})" for x, y in self.votes[:, :2, 2]]
        said = (f"{name} {place}" for name, place in zip(faces.PARTS, places, strict=True))
        text = (
            "A drawn face, and each part's vote for the middle of the face: "
            f"{', '.join(said)}. The spread of these votes is {self.spread:.2f} pixels."
        )
        return text.replace("-", "−")

    def picture(self) -> bytes:
        forms = [[(np.array(points), radius) for points, radius in form] for form in self._forms]
        T = self._T.reshape(4, 3, 3)
        fig = plots.ghost_votes(forms, self.whole, self.parts, T, faces.PARTS)
        if not self.ghosts:
            ghosts = [line for line in fig.axes[0].lines if line.get_label() == "ghost"]
            for mark in [*ghosts, *fig.axes[0].texts]:  # The texts name the ghosts.
                mark.set_visible(False)
        return plots.png(fig)


def _forms(forms):
    """`forms` as lists of (points (P, 2), radius), refused if they are not what faces.forms gives."""
    try:
        forms = [[(np.asarray(points, float), float(radius)) for points, radius in form] for form in forms]
        points = [points for form in forms for points, _ in form]
        fits = len(forms) == 5 and all(forms) and all(p.ndim == 2 and p.shape[1] == 2 and len(p) for p in points)
        fits = fits and all(np.isfinite(p).all() for p in points) and all(r > 0 for form in forms for _, r in form)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError("forms: got something else, expected what faces.forms gives: strokes of the head and 4 parts")
    return forms
