"""Lesson 12, bug lab: for every case the tests that a healthy step passes, and the mends that are none. A spoiler.

Longer than most, since twelve tasks belong to one lesson.
"""

from collections.abc import Callable

import numpy as np

from capslib.bugs.tape import Tensor, gradients
from capslib.exercises.mend import Mend, examples

V, U_HAT, B, A, LENGTHS, IMAGE, PICTURE, GRID = examples(seed=1200)
Y = np.eye(5)[[0, 2, 2, 4]]


def _slope(step: Callable, x: np.ndarray) -> np.ndarray:
    """Gradient of the sum of a step's results."""
    tensor = Tensor(x)
    return gradients(np.sum(step(tensor)), tensor)[0]


def _refuses(step: Callable, *arguments: object) -> bool:
    try:
        step(*arguments)
    except Exception:
        return True
    return False


# nan: the length ---------------------------------------------------------------------------------------


def _root_only_where_positive(v: np.ndarray) -> np.ndarray:
    n = np.sum(v * v, axis=-1)
    return np.where(n > 0, np.sqrt(n), 0)


NAN = Mend(
    "nan",
    "length",
    {
        "ordinary vectors keep their length to three decimals": lambda f: np.allclose(
            f(V), np.sqrt(np.sum(V * V, axis=-1)), atol=5e-4
        ),
        "a vector of zeros has a length below 0.01": lambda f: bool(np.all(np.abs(f(np.zeros((2, 3)))) < 0.01)),
        "the gradient at a vector of zeros is a number": lambda f: bool(np.isfinite(_slope(f, np.zeros((2, 3)))).all()),
    },
    "rows",
    ((V,), (np.zeros((2, 3)),), (np.full((1, 2), 1e-4),)),
    (
        "The root of 0 is 0. What is its slope there?",
        "The slope of √n at n = 0 is infinite, and times a zero further back it is NaN. Keep n away from 0.",
        "Add a small number, such as 1e-7, to the sum of squares, under the root.",
    ),
    {
        "The numbers are right, and the way back still leads through the slope of √0: np.where and np.nan_to_num "
        "choose after the root. Change what is under it.": _root_only_where_positive,
        "ε after the root comes too late: the slope of √0 is still infinite.": lambda v: (
            np.sqrt(np.sum(v * v, axis=-1)) + 1e-7
        ),
        "np.maximum after the root comes too late as well: it passes 0 times infinity on, which is NaN.": lambda v: (
            np.maximum(np.sqrt(np.sum(v * v, axis=-1)), 1e-7)
        ),
        "So large an ε makes every capsule longer. 1e-7 is enough.": lambda v: np.sqrt(np.sum(v * v, axis=-1) + 0.01),
    },
)

# high: the scores --------------------------------------------------------------------------------------


def _softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)


HIGH = Mend(
    "high",
    "scores",
    {
        "a length of 0.9 is judged as 0.9": lambda f: np.allclose(f(np.full((1, 5), 0.9)), 0.9),
        "each capsule is judged by itself": lambda f: np.allclose(f(LENGTHS)[:, :1], f(LENGTHS[:, :1])),
    },
    "scores",
    ((LENGTHS,),),
    (
        "How large can a softmax of five lengths between 0 and 1 become?",
        "e/(e + 4) is 0.40, far from the margin at 0.9. A length needs nothing to become a score.",
        "The margin loss was made for the lengths themselves.",
    ),
    {
        "A sharper softmax lets the winner reach 0.9, but two digits of one image cannot both have it.": lambda x: (
            _softmax(10 * x)
        ),
        "Now the digits of a batch compete with each other.": lambda x: _softmax(x, 0),
        "Shares of the sum compete, too: one capsule can be long only if the others are short.": lambda x: (
            x / np.sum(x, axis=-1, keepdims=True)
        ),
        "A logarithm of the softmax is meant for cross-entropy, and is never positive.": lambda x: np.log(_softmax(x)),
    },
)

# short: the softmax ------------------------------------------------------------------------------------


def _half_mended(b: np.ndarray) -> np.ndarray:
    e = np.exp(b - np.max(b, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-2, keepdims=True)


def _normalised_twice(b: np.ndarray) -> np.ndarray:
    c = _softmax(b, -2)
    return c / np.sum(c, axis=-1, keepdims=True)


SHORT = Mend(
    "short",
    "couple",
    {
        "each row of c sums to 1": lambda f: np.allclose(f(B).sum(-1), 1),
        "c_ij / c_ik is exp(b_ij − b_ik)": lambda f: np.allclose(
            f(B)[..., 1:] / f(B)[..., :1], np.exp(B[..., 1:] - B[..., :1])
        ),
        "logits of 1000 give numbers": lambda f: bool(np.isfinite(f(1000 * B)).all()),
    },
    "rows",
    ((B,), (1000 * B,)),
    (
        "Which axis of b, (…, I, J), counts the upper capsules?",
        "A lower capsule shares itself out among the upper ones: Σ_j c_ij = 1. That sum runs over the last axis.",
        "axis=-1 belongs in both lines: for the maximum and for the sum.",
    ),
    {
        "You changed the maximum, which cancels. The sum below decides over what c is normalised.": _half_mended,
        "The rows sum to 1 now, but the softmax underneath is still the wrong one: its ratios are distorted.": (
            _normalised_twice
        ),
        "Scaling makes the rows sum to 1 on average. Each of them has to.": lambda b: (
            _softmax(b - np.max(b), -2) * b.shape[-2] / b.shape[-1]
        ),
        "Without the maximum subtracted, exp overflows as soon as the logits are large.": lambda b: _softmax(b),
    },
)

# three: the margin loss --------------------------------------------------------------------------------


def _hinges(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(0, 0.9 - lengths), np.maximum(0, lengths - 0.1)


def _square_of_all(y: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    present, absent = _hinges(lengths)
    return np.sum((y * present + 0.5 * (1 - y) * absent) ** 2, axis=-1)


def _squares_of_lengths(y: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    present, absent = np.maximum(0, 0.9 - lengths**2), np.maximum(0, lengths**2 - 0.1)
    return np.sum(y * present + 0.5 * (1 - y) * absent, axis=-1)


def _square_of_sum(y: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    present, absent = _hinges(lengths)
    return np.sum(y * present + 0.5 * (1 - y) * absent, axis=-1) ** 2


THREE = Mend(
    "three",
    "loss",
    {
        "beyond both margins the loss is 0": lambda f: np.allclose(f(Y, np.where(Y > 0, 0.95, 0.05)), 0),
        "a right capsule of length 0.5 costs 0.16": lambda f: np.allclose(f(Y, np.where(Y > 0, 0.5, 0.05)), 0.16),
        "a wrong capsule of length 0.5 costs 0.08": lambda f: np.allclose(
            f(np.eye(2)[:1], np.array([[0.95, 0.5]])), 0.08
        ),
        "two wrong capsules cost twice as much as one": lambda f: np.allclose(
            f(np.eye(3)[:1], np.array([[0.95, 0.5, 0.5]])), 0.16
        ),
    },
    "loss",
    ((Y, LENGTHS),),
    (
        "Compare with equation 4: what is done to each max(0, …)?",
        "Each hinge is squared by itself, before λ and before the sum.",
        "present**2 in the first term and absent**2 in the second.",
    ),
    {
        "You squared λ as well: wrong capsules weigh a quarter now, not half.": _square_of_all,
        "The squares belong outside the max: they are of what is missing to the margin, not of the lengths.": (
            _squares_of_lengths
        ),
        "The square of the sum makes the classes pull on each other. Each hinge has its own square.": _square_of_sum,
    },
)

# hover: the first logits -------------------------------------------------------------------------------


def _zeros_or(kept: np.ndarray | None, u_hat: np.ndarray) -> np.ndarray:
    return np.zeros(u_hat.shape[:-1]) if kept is None else kept


def _uniform(b: np.ndarray) -> bool:
    return b.shape == U_HAT.shape[:-1] and np.allclose(b, b[..., :1])


HOVER = Mend(
    "hover",
    "start",
    {
        "the first batch starts undecided": lambda f: _uniform(f(U_HAT, None)),
        "the next batch starts undecided": lambda f: _uniform(f(U_HAT, B)),
        "what was kept stays as it was": lambda f: (lambda kept: (f(U_HAT, kept), np.array_equal(kept, B))[1])(
            B.copy()
        ),
    },
    "undecided",
    ((U_HAT, None), (U_HAT, B)),
    (
        "What does b know when a new batch arrives, and about whom?",
        "Procedure 1 begins with b = 0, for every example anew.",
        "Return zeros of the shape (B, I, J), u_hat.shape[:-1], and leave `kept` alone.",
    ),
    {
        "Half of what was kept is still about other digits.": lambda u_hat, kept: 0.5 * _zeros_or(kept, u_hat),
        "The mean over the last batch is a prior of the last batch: still about other digits.": lambda u_hat, kept: (
            np.zeros(u_hat.shape[:-1]) + _zeros_or(kept, u_hat).mean(0)
        ),
        "A softmax does not notice what is subtracted from all logits. Nothing has changed.": lambda u_hat, kept: (
            _zeros_or(kept, u_hat) - np.max(_zeros_or(kept, u_hat))
        ),
    },
)

# calm: the update --------------------------------------------------------------------------------------


def _in_place(b: np.ndarray, a: np.ndarray) -> np.ndarray:
    b += a
    return b


def _leaves_alone(f: Callable) -> bool:
    b, a = B.copy(), A.copy()
    f(b, a)
    return np.array_equal(b, B) and np.array_equal(a, A)


CALM = Mend(
    "calm",
    "update",
    {
        "two agreements of 1 make a logit of 2": lambda f: np.allclose(f(f(np.zeros(3), np.ones(3)), np.ones(3)), 2),
        "an agreement of 0 leaves b as it is": lambda f: np.allclose(f(B, 0 * A), B),
        "the arrays that were given stay as they were": _leaves_alone,
    },
    "entropy",
    ((B, A), (B + 1, A)),
    (
        "What is left of the first agreement after the third?",
        "Logits add up: after two updates, b is the sum of two agreements.",
        "Return b + a.",
    ),
    {
        "Half of each: early agreements fade away, and b never exceeds one agreement.": lambda b, a: (b + a) / 2,
        "The larger of the two is not the sum: agreements do not add up.": lambda b, a: np.maximum(b, a),
        "Now lower capsules move to where they disagree.": lambda b, a: b - a,
        "The sum is right, but += writes into the caller's b. A new array does not change what others hold.": _in_place,
    },
)

# ink: the reshape --------------------------------------------------------------------------------------


def _order(axes: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
    """A reshape that reads the axes of (B, D, H, W) in another order."""

    def reshaped(features: np.ndarray) -> np.ndarray:
        batch, depth, high, wide = features.shape
        return np.transpose(features, axes).reshape(batch, high * wide, depth)

    return reshaped


INK = Mend(
    "ink",
    "capsules",
    {
        "the shape is (B, H·W, D)": lambda f: f(GRID).shape == (2, 16, 3),
        "capsule 0 holds the channels of row 0, column 0": lambda f: np.allclose(f(GRID)[:, 0], GRID[:, :, 0, 0]),
        "capsule 1 holds the channels of row 0, column 1": lambda f: np.allclose(f(GRID)[:, 1], GRID[:, :, 0, 1]),
        "capsule 4 holds the channels of row 1, column 0": lambda f: np.allclose(f(GRID)[:, 4], GRID[:, :, 1, 0]),
    },
    "ink",
    ((GRID,),),
    (
        "In what order does `reshape` read an array (B, D, H, W)?",
        "The last axis runs fastest. The numbers of one capsule have to stand side by side: D must come last.",
        "np.transpose(features, (0, 2, 3, 1)) first, then reshape.",
    ),
    {
        "Every capsule has one place now, but columns come before rows: the grid is transposed.": _order((0, 3, 2, 1)),
        "You moved D behind the rows only: neighbouring columns still end in one capsule.": _order((0, 2, 1, 3)),
        "The batch moved as well: numbers of different images end in one capsule.": _order((2, 3, 0, 1)),
    },
)

# grey: the loss of a picture ---------------------------------------------------------------------------


GREY = Mend(
    "grey",
    "picture",
    {
        "one number for each image": lambda f: np.shape(f(IMAGE, PICTURE)) == (3,),
        "784 pixels that are off by 1 cost 0.392": lambda f: np.allclose(
            f(np.ones((2, 784)), np.zeros((2, 784))), 0.392
        ),
        "an image costs the same alone and in a batch": lambda f: np.allclose(
            f(IMAGE, PICTURE)[:1], f(IMAGE[:1], PICTURE[:1])
        ),
    },
    "error",
    ((IMAGE, PICTURE),),
    (
        "By what factor do a sum and a mean over 784 pixels differ?",
        "The paper's weight of 0.0005 was chosen for the sum of the squared differences of an image.",
        "0.0005 * np.sum(…, axis=-1).",
    ),
    {
        "Without the weight, the pictures drown the margin loss.": lambda x, r: np.sum((x - r) ** 2, axis=-1),
        "A mean without the weight is 2.55 times the sum with it: 1/784 against 0.0005.": lambda x, r: np.mean(
            (x - r) ** 2, axis=-1
        ),
        "You summed over the batch, too: the loss grows with the number of images.": lambda x, r: (
            0.0005 * np.sum((x - r) ** 2) * np.ones(len(x))
        ),
        "You summed over the batch, too. Each image keeps its own loss: axis=-1.": lambda x, r: (
            0.0005 * np.sum((x - r) ** 2)
        ),
        "A root makes it a distance. The loss is the sum of squares.": lambda x, r: (
            0.0005 * np.sqrt(np.sum((x - r) ** 2, axis=-1))
        ),
    },
)

# pass: the loop ----------------------------------------------------------------------------------------


def _updated_first(b: np.ndarray, couple: Callable, agreed: Callable, iterations: int) -> list:
    steps, c = [], couple(b)
    for _ in range(iterations):
        b = agreed(b, c)
        c = couple(b)
        steps.append((b, c))
    return steps


def _only_the_last(b: np.ndarray, couple: Callable, agreed: Callable, iterations: int) -> list:
    steps, c = [], couple(b)
    for n in range(iterations):
        c = couple(b) if n == iterations - 1 else c
        steps.append((b, c))
        b = agreed(b, c)
    return steps


def _never_updated(b: np.ndarray, couple: Callable, agreed: Callable, iterations: int) -> list:
    return [(b, couple(b)) for _ in range(iterations)]


def _counted(loop: Callable, n: int = 3) -> list[tuple[float, float]]:
    """Pairs (b, c) of a loop in which c is 10 b and every agreement adds c + 1."""
    return [(float(b), float(c)) for b, c in loop(0.0, lambda b: 10 * b, lambda b, c: b + c + 1, n)]


PASS = Mend(
    "pass",
    "couplings",
    {
        "there is one pair (b, c) for each iteration": lambda f: len(_counted(f)) == 3,
        "the first iteration uses the logits given": lambda f: _counted(f)[0] == (0, 0),
        "the second iteration uses the logits of one update": lambda f: _counted(f)[1] == (1, 10),
        "the third iteration uses those of two, made with its own couplings": lambda f: _counted(f)[2] == (12, 120),
    },
    "entropy",
    ((0 * B, _softmax, lambda b, c: b + c + A, 4),),
    (
        "Which c does the second iteration use?",
        "Each iteration couples anew: c belongs inside the loop.",
        "Inside the loop: c = couple(b), then append the pair, then b = agreed(b, c).",
    ),
    {
        "The first iteration has already been updated: it has to use the logits that were given.": _updated_first,
        "Only the last iteration couples anew. Those before agreed with the first couplings.": _only_the_last,
        "b is never updated now, so every iteration repeats the first.": _never_updated,
    },
)

# chance: the initial W ---------------------------------------------------------------------------------

SIZES = ((16, 6, 5, 6), (64, 6, 5, 6), (16, 8, 10, 16))

CHANCE = Mend(
    "chance",
    "limit",
    {
        "it is the same for 16 and for 1,152 lower capsules": lambda f: np.isclose(f(16, 6, 5, 6), f(1152, 6, 5, 6)),
        "it shrinks as the lower capsules get more components": lambda f: f(16, 32, 5, 6) < f(16, 6, 5, 6),
        "it is within a factor of 2 of Glorot's limit for one lower capsule": lambda f: (
            0.5 < f(16, 6, 5, 6) / np.sqrt(6 / 36) < 2
        ),
    },
    "fewer",
    SIZES,
    (
        "How many numbers does one vote û_ij sum up?",
        "A vote sums over D_in numbers of one lower capsule. How many capsules there are does not matter to it.",
        "np.sqrt(6 / (D_in + J * D_out)): both fans of one lower capsule.",
    ),
    {
        "Now W grows with the number of lower capsules, where it shrank before.": lambda I, D_in, J, D_out: np.sqrt(
            6 * I / (D_in + J * D_out)
        ),
        "The fan-in still counts every lower capsule. A vote sees one.": lambda I, D_in, J, D_out: np.sqrt(
            6 / (I * D_in + J * D_out)
        ),
        "A constant suits one size of capsule. The limit should follow D_in.": lambda I, D_in, J, D_out: 0.4,
    },
)

# break: the settings -----------------------------------------------------------------------------------


def _into_the_defaults(saved: dict, default: dict) -> dict:
    default.update(saved)
    return default


def _leaves_dicts(f: Callable) -> bool:
    saved, default = {"batch": 40}, {"batch": 320, "log": False}
    f(saved, default)
    return saved == {"batch": 40} and default == {"batch": 320, "log": False}


BREAK = Mend(
    "break",
    "merge",
    {
        "the saved batch size is kept": lambda f: f({"batch": 40, "rate": 1}, {"batch": 320})["batch"] == 40,
        "what was not saved gets its default": lambda f: f({"batch": 40}, {"batch": 320, "log": False})["log"] is False,
        "every other saved setting is kept, too": lambda f: (
            f({"batch": 40, "rate": 1, "seed": 7}, {"rate": 9, "seed": 0, "batch": 320})
            == {"batch": 40, "rate": 1, "seed": 7}
        ),
        "neither dict is changed": _leaves_dicts,
    },
    "step",
    (({"batch": 40, "rate": 1}, {"batch": 320, "log": False}), ({"rate": 1, "seed": 7}, {"rate": 2, "seed": 0})),
    (
        "Both dicts have a batch size. Which of the two comes last?",
        "In {**one, **other}, a key that both have gets its value from `other`.",
        "Let the saved settings come last.",
    ),
    {
        "Only the batch size is safe now. The next default to be added would override its saved value again.": (
            lambda saved, default: {**saved, **default, **({"batch": saved["batch"]} if "batch" in saved else {})}
        ),
        "What was not saved needs a default: a setting of a later version is missing.": lambda saved, default: dict(
            saved
        ),
        "The settings are right, but the program's defaults were overwritten for every later training.": (
            _into_the_defaults
        ),
    },
)

# table: the run ----------------------------------------------------------------------------------------

RUNS = tuple(
    {"name": name, "accuracy": p} for name, p in (("run-10", 0.6), ("run-1", 0.8), ("run-2", 0.9), ("run-12", 0.85))
)


def _begin_so(runs: tuple, name: str) -> list:
    return [run for run in runs if run["name"].startswith(name)]


def _shortest(runs: tuple, name: str) -> dict:
    return min(_begin_so(runs, name), key=lambda run: len(run["name"]))


TABLE = Mend(
    "table",
    "choose",
    {
        "run-1 is found among run-10, run-1, run-2 and run-12": lambda f: f(RUNS, "run-1") == RUNS[1],
        "it is found in any order": lambda f: f(RUNS[::-1], "run-1") == RUNS[1] and f(RUNS[1:], "run-1") == RUNS[1],
        "the others are found, too": lambda f: all(f(RUNS, run["name"]) == run for run in RUNS),
        "a name that no run has is refused, and no other run is drawn": lambda f: _refuses(f, RUNS, "run"),
    },
    "gap",
    ((RUNS, "run-1"), (RUNS[::-1], "run-1"), (RUNS, "run-12")),
    (
        "Which other runs have a name that begins with run-1?",
        "Compare the whole name.",
        'next(run for run in runs if run["name"] == name) raises an error if there is none.',
    ),
    {
        "The first that begins so depends on the order of the folder.": lambda runs, name: _begin_so(runs, name)[0],
        "The most accurate of those that begin so may be another one.": lambda runs, name: max(
            _begin_so(runs, name), key=lambda run: run["accuracy"]
        ),
        "That is right while the run is there. Where it is missing, another one is drawn.": _shortest,
    },
)

EXERCISES = {
    f"mend_{mend.case}": mend for mend in (NAN, HIGH, SHORT, THREE, HOVER, CALM, INK, GREY, PASS, CHANCE, BREAK, TABLE)
}
