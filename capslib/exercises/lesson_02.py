"""Lesson 02, pose and votes: the tasks in plain loops, as the lesson spells them out."""

import numpy as np

from capslib import poses
from capslib.exercises.check import Exercise


def _part_to_whole(M: np.ndarray, F: np.ndarray) -> np.ndarray:
    return np.array([np.linalg.solve(M_i, F) for M_i in M])  # M_i T_i = F


def _hidden_parts(M_eye: np.ndarray, S_eye: np.ndarray, S: np.ndarray) -> np.ndarray:
    places = np.zeros((len(S), 2))
    for k in range(len(S)):
        whole = M_eye @ np.linalg.inv(S_eye)
        places[k] = (whole @ S[k])[:2, 2]
    return places


def _visible_spread(votes: np.ndarray, seen: np.ndarray) -> np.ndarray:
    spread = np.zeros(len(votes))
    for n in range(len(votes)):
        places = [votes[n, i, :2, 2] for i in range(len(votes[n])) if seen[n, i]]
        if places:
            mean = sum(places) / len(places)
            spread[n] = np.sqrt(sum(sum((place - mean) ** 2) for place in places) / len(places))
    return spread


def _equivariance_error(before: np.ndarray, after: np.ndarray, G: np.ndarray) -> np.ndarray:
    error = np.zeros(before.shape[1])
    for i in range(len(error)):
        for n in range(len(before)):
            should = G[n] @ before[n, i]
            error[i] += sum((after[n, i, :2, 2] - should[:2, 2]) ** 2) / len(before)
    return np.sqrt(error)


def _poses(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Poses (*shape, 3, 3) of round numbers, all turned: an upright part would forgive too much."""
    x, y = rng.integers(-6, 7, (2, *shape))
    return poses.pose(x, y, 10 * rng.integers(1, 36, shape), rng.choice([0.5, 0.8, 1.25, 2], shape))


def _parts_and_whole(rng: np.random.Generator) -> tuple:
    return _poses(rng, int(rng.choice([2, 4, 5]))), _poses(rng)


def _eye_and_others(rng: np.random.Generator) -> tuple:
    return _poses(rng), _poses(rng), _poses(rng, int(rng.choice([2, 4, 5])))


def _votes_and_mask(rng: np.random.Generator) -> tuple:
    N, I = map(int, rng.permutation([2, 4, 5, 6])[:2])
    seen = rng.random((N, I)) < 0.6
    seen[0, :2] = True, False
    return _poses(rng, N, I), seen


def _before_and_after(rng: np.random.Generator) -> tuple:
    """Votes that follow the change of their picture, up to rounding, but for those of one part."""
    N, I = map(int, rng.permutation([2, 4, 5, 6])[:2])
    before, G = _poses(rng, N, I), _poses(rng, N)
    after = np.round(G[:, None] @ before, 1)
    after[:, rng.integers(I), :2, 2] += rng.integers(1, 4, (N, 2))
    return before, after, G


def _without_hidden(votes: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Hidden votes set to 0."""
    return np.where(seen[..., None, None], votes, 0)


def _divided_by_all(votes: np.ndarray, seen: np.ndarray) -> np.ndarray:
    places, seen = votes[..., :2, 2], seen[..., None]
    mean = (places * seen).sum(1, keepdims=True) / np.maximum(seen.sum(1, keepdims=True), 1)
    return np.sqrt(((places - mean) ** 2 * seen).sum((1, 2)) / votes.shape[1])


def _empty_mean(votes: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return np.where(seen.any(1), _visible_spread(votes, seen), np.nan)


def _distances(before: np.ndarray, after: np.ndarray, G: np.ndarray) -> np.ndarray:
    """(N, I) how far each vote lies from where it should be."""
    return np.linalg.norm((after - G[:, None] @ before)[..., :2, 2], axis=-1)


EXERCISES = {
    "part_to_whole": Exercise(
        _part_to_whole,
        _parts_and_whole,
        201,
        ("i", "row", "column"),
        (
            "Put T_i into M_i T_i = F. Which matrix, multiplied from which side, removes M_i?",
            "Multiply both sides of M_i T_i = F from the left by the inverse of M_i.",
            "It is M_i⁻¹ F. np.linalg.inv(M) inverts all I matrices at once, and @ multiplies each of them by F.",
        ),
        {
            "This is the part as the whole sees it, S_i. A vote needs the opposite direction.": (
                lambda M, F: np.linalg.inv(F) @ M
            ),
            "The right matrices in the wrong order: M_i⁻¹ must stand to the left of F.": (
                lambda M, F: F @ np.linalg.inv(M)
            ),
            "M_i⁻¹ takes you from the part to the picture. One step is missing: from the picture to the whole.": (
                lambda M, F: np.linalg.inv(M)
            ),
        },
        edges=(
            ("a face at the origin, upright, at scale 1", (poses.pose(2, 3, 90, 0.5)[None], np.eye(3))),
            (
                "a part with the same pose as its face",
                (poses.pose([2, -4], [3, 1], 90, 0.5), poses.pose(2, 3, 90, 0.5)),
            ),
        ),
    ),
    "hidden_parts": Exercise(
        _hidden_parts,
        _eye_and_others,
        202,
        ("k", "x, y"),
        (
            "Go from the picture to the eye, from the eye to the face, and from the face to part k.",
            "The vote of the eye is the pose of the face. Once you have the face, M_k = F S_k gives every part.",
            "M_eye @ np.linalg.inv(S_eye) @ S has shape (K, 3, 3). The position is in its third column.",
        ),
        {
            "You walked from the eye to part k in the picture's directions. A turned eye walks in its own.": (
                lambda M_eye, S_eye, S: M_eye[:2, 2] + (S - S_eye)[:, :2, 2]
            ),
            "S_k places a part in the face. You placed it in the eye: the step from the eye to the face is missing.": (
                lambda M_eye, S_eye, S: (M_eye @ S)[:, :2, 2]
            ),
            "You used S_eye where its inverse is needed: the face as the eye sees it.": (
                lambda M_eye, S_eye, S: (M_eye @ S_eye @ S)[:, :2, 2]
            ),
        },
        edges=(
            (
                "the eye itself as the only other part",
                (poses.pose(2, 3, 90, 0.5), poses.pose(-4, 3), poses.pose([-4], 3)),
            ),
            ("an upright eye", (poses.pose(1, 2), poses.pose(-4, 3), poses.pose([0, 4], [-6, 3]))),
        ),
    ),
    "visible_spread": Exercise(
        _visible_spread,
        _votes_and_mask,
        203,
        ("n",),
        (
            "Both means, of the positions and of the squared distances, run over the visible parts only.",
            "A mean over the visible parts is a sum of what is visible, divided by how many are: seen.sum(axis=1).",
            "Multiply by the mask before each of the two sums, and divide by np.maximum(seen.sum(axis=1), 1).",
        ),
        {
            "You counted the hidden parts too.": lambda votes, seen: poses.spread(votes),
            "You set hidden votes to 0, but then they still vote: for the origin.": (
                lambda votes, seen: poses.spread(_without_hidden(votes, seen))
            ),
            "The mean position is right. The mean of the squared distances still divides by all I parts.": (
                _divided_by_all
            ),
            "Where nothing is visible you divide 0 by 0. The task asks for 0 there.": _empty_mean,
        },
        edges=(
            ("a picture without any visible part", (poses.pose([[1, 2, 3]], 0), np.zeros((1, 3), bool))),
            ("a single visible part", (poses.pose([[1, 2, 3]], 0), np.array([[False, True, False]]))),
        ),
    ),
    "equivariance_error": Exercise(
        _equivariance_error,
        _before_and_after,
        204,
        ("i",),
        (
            "What would the vote of part i be after the change, if it were equivariant? Compare positions.",
            "An equivariant vote becomes G[n] @ before[n, i]; for all of them at once, G[:, None] @ before.",
            "Subtract G[:, None] @ before from after. Square, sum over x and y, average over n, take the root.",
        ),
        {
            "This measures how far the votes move. It would be 0 for an invariant vote.": (
                lambda before, after, G: np.sqrt(np.mean(np.sum((after - before)[..., :2, 2] ** 2, -1), 0))
            ),
            "G changes the picture, so it multiplies a pose from the left.": (
                lambda before, after, G: np.sqrt(np.mean(np.sum((after - before @ G[:, None])[..., :2, 2] ** 2, -1), 0))
            ),
            "You averaged the distances. Average their squares, then take the root.": (
                lambda before, after, G: _distances(before, after, G).mean(0)
            ),
            "You averaged over x and y. A squared distance is the sum of their squares.": (
                lambda before, after, G: np.sqrt(np.mean(_distances(before, after, G) ** 2, 0) / 2)
            ),
            "You averaged over the parts. The question is which part is to blame: average over the pictures.": (
                lambda before, after, G: np.sqrt(np.mean(_distances(before, after, G) ** 2, 1))
            ),
        },
        edges=(
            (
                "a picture that did not change",
                (poses.pose([[1, 2, 3]], 0), poses.pose([[1, 2, 3]], [[0, 1, 0]]), np.eye(3)[None]),
            ),
        ),
    ),
}
