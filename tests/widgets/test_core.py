"""The widgets' JavaScript computes what capslib.equations and Keras compute: both are fed the same numbers."""

import json
import shutil
import subprocess
from pathlib import PurePath

import numpy as np
import pytest

from capslib import digits, equations, models, networks, plots, weights
from capslib.widgets.base import join
from tests import ROOT
from tests.conftest import NO_NODE

NODE = shutil.which("node")
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}

pytestmark = pytest.mark.skipif(NODE is None, reason=NO_NODE)


def caller(folder, file="network.js"):
    """Calls a list of (name, arguments) or dicts of a file of widgets/js, joined with its imports, in one Node process.

    Arrays go in, and come back flat. `folder` is for the joined files: by its name every Node takes them for a module.
    """
    module = folder / f"{PurePath(file).stem}.mjs"
    module.write_text(join(file), encoding="utf-8")

    def call(*calls):
        calls = [{"name": c[0], "args": c[1:]} if isinstance(c, tuple) else c for c in calls]
        command = [NODE, ROOT / "tests/widgets/core.mjs", module]
        done = subprocess.run(
            command, input=json.dumps(calls, default=sent), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-2000:]
        results = json.loads(done.stdout, object_hook=received)
        return results if len(results) > 1 else results[0]

    return call


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    return caller(tmp_path_factory.mktemp("core"))


def sent(array):
    return {"type": str(array.dtype), "numbers": array.ravel().tolist()}


def received(value):
    return np.array(value["numbers"], value["type"]) if value.keys() == {"type", "numbers"} else value


def route(u_hat, iterations, offset, rule="accumulate", axis=-1):
    """A routing's b, c, s, v, a; the rules that `equations.route` does not have are written out here."""
    if rule == "accumulate":
        trace = equations.route(u_hat, iterations, offset, axis)
        return {name: getattr(trace, name) for name in "bcsva"}
    steps, b = [], np.zeros(u_hat.shape[:-1], u_hat.dtype)
    for _ in range(iterations):
        c = equations.softmax(b, axis)
        s = equations.weighted_sum(c, u_hat)
        v = equations.squash(s, offset)
        a = equations.agreement(u_hat, v)
        steps.append({"b": b, "c": c, "s": s, "v": v, "a": a})
        b = {"replace": a, "uniform": b}[rule]
    return {name: np.stack([step[name] for step in steps]) for name in "bcsva"}


def shape_of(u_hat):
    return dict(zip("IJD", u_hat.shape, strict=True))


def close(found, expected, dtype, **kwargs):
    tolerance = TOLERANCE[dtype]
    assert np.asarray(found).dtype == dtype
    np.testing.assert_allclose(np.reshape(found, expected.shape), expected, rtol=tolerance, atol=tolerance, **kwargs)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param


RNG = np.random.default_rng(2017)
SHAPES = [(49, 10, 30), (4, 2, 2), (1, 2, 3), (3, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("iterations", [1, 2, 5, 8])
def test_a_routing_is_numpys_at_every_step(javascript, shape, iterations, dtype):
    u_hat = RNG.normal(size=shape).astype(dtype)
    for offset in (0.5, 1.0):
        expected = equations.route(u_hat, iterations, offset)
        found = javascript(("route", u_hat, shape_of(u_hat), {"iterations": iterations, "offset": offset}))
        for name in "bcsva":
            close(found[name], getattr(expected, name), dtype, err_msg=name)


@pytest.mark.parametrize("rule", ["accumulate", "replace", "uniform"])
@pytest.mark.parametrize(("over", "axis"), [("upper", -1), ("lower", -2)])
def test_the_rules_of_routing(javascript, rule, over, axis, dtype):
    u_hat = RNG.normal(size=(6, 3, 4)).astype(dtype)
    options = {"iterations": 4, "offset": 0.5, "rule": rule, "over": over}
    found = javascript(("route", u_hat, shape_of(u_hat), options))
    expected = route(u_hat, 4, 0.5, rule, axis)
    for name in "bcsva":
        close(found[name], expected[name], dtype, err_msg=name)


def test_the_defaults_are_those_of_the_equations(javascript, dtype):
    u_hat = RNG.normal(size=(6, 3, 4)).astype(dtype)
    expected = equations.route(u_hat)
    found = javascript(("route", u_hat, shape_of(u_hat)))
    close(found["b"], expected.b, dtype)
    close(javascript(("squash", expected.s[0], 4)), equations.squash(expected.s[0]), dtype)


def test_contribution_and_entropy_are_the_traces(javascript, dtype):
    u_hat = RNG.normal(size=(9, 5, 4)).astype(dtype)
    u_hat[:, 2] = 0  # A capsule that nobody votes for has no direction.
    t = equations.route(u_hat, 3)
    found = javascript(("contribution", t.c[2], u_hat, t.s[2], shape_of(u_hat)))
    close(found, t.contribution[2], dtype)
    sure = np.array([[1, 0, 0], [0.5, 0.5, 0]], dtype)
    H = javascript(("entropy", t.c[2], 5), ("entropy", sure, 3))
    close(H[0], t.entropy[2], dtype)
    close(H[1], np.log([1, 2]).astype(dtype), dtype)


def test_votes_are_drawn_in_the_plane_of_the_pictures(javascript, dtype):
    for shape in [(49, 10, 30), (4, 2, 2), (5, 2, 3)]:
        t = equations.route(RNG.normal(size=shape).astype(dtype))
        for j in range(shape[1]):
            found = javascript(("vote_plane", t.u_hat, t.v[-1], j, shape_of(t.u_hat)))
            np.testing.assert_allclose(np.reshape(found, (2, -1)), plots.vote_plane(t, j)[1], atol=1e-4)
    nothing = np.zeros((4, 2, 3), dtype)
    assert not javascript(("vote_plane", nothing, nothing[0], 1, shape_of(nothing))).any()


def test_squash_and_length_from_nothing_to_very_long(javascript, dtype):
    s = RNG.normal(size=(7, 5)) * np.array([0, 1e-6, 1e-3, 1e-1, 1, 30, 1e6])[:, None]
    s = s.astype(dtype)
    for offset in (0.05, 0.5, 1):
        close(javascript(("squash", s, 5, offset)), equations.squash(s, offset), dtype)
    close(javascript(("length", s, 5)), equations.length(s), dtype)


def test_softmax_bears_large_logits(javascript, dtype):
    b = np.array([[1e4, 1e4, 0], [-1e4, 0, 1], [0, 0, 0]], dtype)
    for over, axis in (("upper", -1), ("lower", -2)):
        close(javascript(("softmax", b, 3, over)), equations.softmax(b, axis), dtype)


@pytest.mark.parametrize("shared", [True, False])
def test_votes(javascript, shared, dtype):
    u = np.maximum(RNG.normal(size=(6, 5)), 0).astype(dtype)
    W = RNG.normal(size=(5, 3, 4) if shared else (6, 5, 3, 4)).astype(dtype)
    close(javascript(("predict", u, W, {"I": 6, "D_in": 5, "J": 3, "D": 4})), equations.predict(u, W), dtype)


def test_convolution_is_the_sum_over_the_window(javascript, dtype):
    x, kernel = RNG.normal(size=(7, 6, 2)).astype(dtype), RNG.normal(size=(3, 3, 2, 4)).astype(dtype)
    bias = RNG.normal(size=4).astype(dtype)
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))  # (7, 6, 2, 3, 3)
    expected = np.einsum("hwcpq,pqcf->hwf", windows, kernel) + bias
    close(javascript(("convolution", x, kernel, bias, {"H": 7, "W": 6, "C": 2, "K": 3, "F": 4})), expected, dtype)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_convolution_within_the_image_in_strides(javascript, stride, dtype):
    x, kernel = RNG.normal(size=(9, 7, 2)).astype(dtype), RNG.normal(size=(3, 3, 2, 4)).astype(dtype)
    bias = RNG.normal(size=4).astype(dtype)
    shape = {"H": 9, "W": 7, "C": 2, "K": 3, "F": 4, "stride": stride}
    expected = networks.valid_convolution(x[None], kernel, bias, stride)[0]
    close(javascript(("valid_convolution", x, kernel, bias, shape)), expected, dtype)


def test_one_capsule_is_kept_the_longest_unless_told(javascript, dtype):
    v = RNG.normal(size=(5, 4)).astype(dtype)
    v[3] *= 10
    longest, second = javascript(("mask", v, 4), ("mask", v, 4, 1))
    close(longest, equations.mask(v[None])[0], dtype)
    close(second, equations.mask(v[None], np.eye(5)[[1]])[0], dtype)
    assert longest.any() and second.any()


def test_the_plain_layers(javascript, dtype):
    x = RNG.normal(size=(6, 5, 3)).astype(dtype)
    pooled = x[:6, :4].reshape(3, 2, 2, 2, 3).max((1, 3))
    W, bias = RNG.normal(size=(90, 4)).astype(dtype), RNG.normal(size=4).astype(dtype)
    found = javascript(
        ("max_pooling", x, {"H": 6, "W": 5, "C": 3}),
        ("relu", x),
        ("global_average", x, 3),
        ("dense", x, W, bias),
        ("probabilities", bias),
    )
    expected = pooled, np.maximum(x, 0), x.mean((0, 1)), x.ravel() @ W + bias, equations.softmax(bias)
    for one, other in zip(found, expected, strict=True):
        close(one, other, dtype)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("squash", np.ones(5), 2), "s: got 5 numbers"),
        (("squash", np.ones(4), 2, 0), "offset: got 0"),
        (("softmax", np.ones(5), 2), "b: got 5 numbers"),
        (("softmax", np.ones(4), 2, "both"), "over: got both"),
        (("route", np.ones(5), {"I": 2, "J": 2, "D": 2}), "u_hat: got 5 numbers"),
        (("route", np.ones(8), {"I": 2, "J": 2, "D": 2}, {"rule": "x"}), "rule: got x"),
        (("route", np.ones(8), {"I": 2, "J": 2, "D": 2}, {"iterations": 0}), "iterations: got 0"),
        (("predict", np.ones(5), np.ones(8), {"I": 2, "D_in": 2, "J": 2, "D": 2}), "u: got 5 numbers"),
        (("predict", np.ones(4), np.ones(9), {"I": 2, "D_in": 2, "J": 2, "D": 2}), "W: got 9 numbers"),
        (("convolution", np.ones(4), np.ones(4), np.ones(1), {"H": 2, "W": 2, "C": 1, "K": 2, "F": 1}), "K: got 2"),
        (
            ("valid_convolution", np.ones(4), np.ones(9), np.ones(1), {"H": 2, "W": 2, "C": 1, "K": 3, "F": 1}),
            "K: got 3, expected at most 2",
        ),
        (("mask", np.ones(6), 2, 3), "j: got 3, expected 0 to 2"),
        (("dense", np.ones(3), np.ones(5), np.ones(2)), "W: got 5 numbers"),
        (("margin_loss", np.ones(3), np.ones(2)), "y_true: got 3 labels, expected 2"),
        (("margin_gradient", np.ones(3), np.ones(2)), "y_true: got 3 labels, expected 2"),
        (("cross_entropy", np.ones(3), np.ones(2)), "y_true: got 3 labels, expected 2"),
        (("cross_entropy_gradient", np.ones(3), np.ones(2)), "y_true: got 3 labels, expected 2"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_by_name(javascript, call, says):
    assert javascript(call)["error"].startswith(says)


# EM routing -------------------------------------------------------------------------------------------------------

EM_TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}
"""In float32 the widgets gather sums in double precision, so they are held to NumPy's float64 of the same votes."""


@pytest.fixture(scope="module")
def em(tmp_path_factory):
    return caller(tmp_path_factory.mktemp("em"), "em.js")


def em_close(found, expected, dtype, err_msg=""):
    tolerance = EM_TOLERANCE[dtype]
    assert np.asarray(found).dtype == dtype
    np.testing.assert_allclose(np.reshape(found, expected.shape), expected, tolerance, tolerance, err_msg=err_msg)


EM_VOTES = {
    "random": RNG.normal(size=(6, 3, 4)),
    "two components": 2.5 * RNG.uniform(-1, 1, size=(8, 2, 2)),
    "one vote": RNG.normal(size=(1, 2, 3)),
    "one whole": RNG.normal(size=(5, 1, 2)),
    "all the same": np.full((4, 2, 2), 1.5),
    "one cluster": np.stack([np.full((4, 2), 0.5), 3 * RNG.normal(size=(4, 2))], 1),
}


@pytest.mark.parametrize("votes", EM_VOTES.values(), ids=EM_VOTES)
@pytest.mark.parametrize("iterations", [1, 2, 3, 20])
def test_em_routing_is_numpys_at_every_step(em, votes, iterations, dtype):
    votes = votes.astype(dtype)
    t = equations.em_route(votes.astype(float), iterations=iterations)
    found = em(("em_route", votes, shape_of(votes), {"iterations": iterations}))
    for name in ("responsibilities", "means", "variances", "costs", "activations"):
        em_close(found[name], getattr(t, name), dtype, name)
    # Far out the fit magnifies how means are rounded, so it is held to the fit of the means that were found.
    shape = (iterations, *votes.shape[1:])
    fitted = (np.reshape(found[name], shape).astype(float) for name in ("means", "variances"))
    fit = np.stack([equations.log_density(votes.astype(float), *step) for step in zip(*fitted, strict=True)])
    em_close(found["fit"], fit, dtype, "fit")
    em_close(equations.softmax(np.reshape(found["b"], fit.shape)), t.responsibilities, dtype, "b")


def test_em_routing_takes_its_prices_and_its_floor(em, dtype):
    votes, options = RNG.normal(size=(6, 3, 4)).astype(dtype), {"beta_a": -1.0, "beta_u": -3.0, "floor": 0.5}
    t = equations.em_route(votes.astype(float), iterations=4, **options)
    found = em(("em_route", votes, shape_of(votes), {"iterations": 4, **options}))
    em_close(found["activations"], t.activations, dtype)
    em_close(found["variances"], t.variances, dtype)


def test_the_steps_of_em_are_numpys_and_a_whole_without_votes_is_fitted_to_all(em, dtype):
    votes = RNG.normal(size=(5, 3, 2)).astype(dtype)
    r = equations.softmax(RNG.normal(size=(5, 3)).astype(dtype))
    r[:, 1] = 0
    a = np.linspace(0, 1, 5).astype(dtype)
    expected = equations.m_step(r.astype(float), votes.astype(float), a.astype(float), 0.3)
    found = em(("m_step", r, votes, a, shape_of(votes), {"lam": 0.3}))
    for name, one in zip(("means", "variances", "costs", "activations"), expected, strict=True):
        em_close(found[name], one, dtype, name)
    means, variances, _, active = (one.astype(dtype) for one in expected)
    active[2] = 0  # A whole that is switched off entirely gets nothing, and nothing becomes NaN.
    shares = em(("e_step", votes, means, variances, active, shape_of(votes)))
    em_close(shares, equations.e_step(votes, means, variances, active), dtype)
    assert np.isfinite(shares).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("em_route", np.ones(5), {"I": 2, "J": 2, "D": 2}), "votes: got 5 numbers, expected (2, 2, 2)"),
        (("em_route", np.ones(8), {"I": 2, "J": 2, "D": 2}, {"iterations": 0}), "iterations: got 0"),
        (("m_step", np.ones(3), np.ones(8), np.ones(2), {"I": 2, "J": 2, "D": 2}), "responsibilities: got 3 numbers"),
    ],
)
def test_numbers_that_do_not_fit_em_are_refused_by_name(em, call, says):
    assert em(call)["error"].startswith(says)


# Margin loss, and a softmax in its place --------------------------------------------------------------------------


def slopes(loss, x, h=1e-6):
    return np.array([(loss(x + d) - loss(x - d)) / (2 * h) for d in h * np.eye(len(x))])


MARGINS = [{}, {"m_plus": 0.8, "m_minus": 0.25, "lam": 0.3}]


@pytest.mark.parametrize("present", [[3], [3, 5], [], range(10)], ids=["one", "two", "none", "all"])
@pytest.mark.parametrize("margins", MARGINS, ids=["paper", "other"])
def test_margin_loss_its_terms_and_its_gradient(javascript, present, margins, dtype):
    T, lengths = np.isin(np.arange(10), present).astype(dtype), RNG.uniform(size=10).astype(dtype)
    names = "margin_loss", "margin_terms", "margin_gradient"
    loss, terms, gradient = javascript(*((name, T, lengths, margins) for name in names))
    assert loss == pytest.approx(equations.margin_loss(T[None], lengths[None], **margins)[0], rel=1e-5)
    assert sum(terms["present"]) + sum(terms["absent"]) == pytest.approx(loss, rel=1e-5)
    assert not np.any(terms["present"][T == 0]) and not np.any(terms["absent"][T == 1])
    close(gradient, equations.margin_gradient(T[None], lengths[None], **margins)[0], dtype)


def test_inside_the_margins_nothing_is_asked_exactly(javascript):
    T, lengths = np.eye(4)[0], np.array([0.9, 0.1, 0.0999, 0.0])
    assert javascript(("margin_loss", T, lengths), ("margin_terms", T, lengths))[0] == 0
    assert not javascript(("margin_gradient", T, lengths)).any()
    assert javascript(("margin_gradient", np.eye(2)[0], np.array([0.899, 0.101]))).all()


@pytest.mark.parametrize("present", [[3], [3, 5], []], ids=["one", "two", "none"])
def test_cross_entropy_and_its_gradient(javascript, present):
    T, lengths = np.isin(np.arange(10), present).astype(float), RNG.uniform(size=10)

    def loss(x):
        return -np.sum(T * np.log(equations.softmax(x)))

    found, gradient = javascript(("cross_entropy", T, lengths), ("cross_entropy_gradient", T, lengths))
    assert found == pytest.approx(loss(lengths), abs=1e-12)
    np.testing.assert_allclose(gradient, slopes(loss, lengths), atol=1e-8)


# The shipped networks ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def images():
    return digits.load("bundled").x_test[:200]


def shipped(name):
    with np.load(weights.FOLDER / f"{name}.npz") as stored:
        return dict(stored)


def on_all(javascript, name, model, images, pick=None, **options):
    call = {"name": name, "args": [shipped(model), options], "images": list(images), "pick": pick}
    return np.stack(javascript(call))


def test_the_capsule_network_is_keras_own_on_200_digits(javascript, images):
    expected = models.article_capsnet(weights="shipped").predict(images, verbose=0)
    found = on_all(javascript, "capsnet", "article_capsnet", images, pick="lengths")
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert expected.std() > 0.1  # Lengths that were all alike would agree with anything.


@pytest.mark.parametrize("head", ["flatten", "global"])
def test_the_plain_networks_are_keras_own_on_200_digits(javascript, images, head):
    expected = models.matched_cnn(head, weights="shipped").predict(images, verbose=0)
    found = on_all(javascript, "cnn", f"matched_cnn_{head}", images)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert expected.std() > 0.1


def test_the_pose_network_and_its_decoder_are_numpys_and_keras_own(javascript, images):
    x, arrays = images[:8], weights.arrays("pose_capsnet")
    answers = javascript({"name": "pose_capsnet", "args": [arrays, {}], "images": list(x)})
    expected = models.pose_capsnet(weights="shipped").predict(x, verbose=0)
    trace = networks.pose_capsnet(x, arrays)
    lengths = np.stack([one["lengths"] for one in answers])
    np.testing.assert_allclose(lengths, trace.lengths[-1], atol=1e-5)
    np.testing.assert_allclose(lengths, expected["lengths"], atol=1e-4)
    masked = javascript({"name": "mask", "args": [16], "images": [one["trace"]["v"][-1] for one in answers]})
    drawn = np.stack(javascript({"name": "decode", "args": [arrays], "images": masked}))
    np.testing.assert_allclose(drawn, networks.decode(equations.mask(trace.v[-1]), arrays).reshape(8, -1), atol=1e-5)
    np.testing.assert_allclose(drawn, expected["reconstruction"].reshape(8, -1), atol=1e-4)
    assert expected["lengths"].std() > 0.1 and drawn.std(0).mean() > 0.1
