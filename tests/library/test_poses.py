import subprocess
import sys

import numpy as np
from scipy.special import cosdg, sindg

from capslib import poses


def test_cos_and_sin_are_those_of_scipy_and_exact_at_quarter_turns():
    angle = np.concatenate([np.random.default_rng(0).uniform(-1000, 1000, 5000), np.arange(-720, 721, 7.5)])
    for found, expected in zip(poses.cos_and_sin(angle), (cosdg(angle), sindg(angle)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-16)
    quarters = np.arange(-720, 721, 90.0)
    for found in poses.cos_and_sin(quarters):
        assert set(found) == {-1.0, 0.0, 1.0} and not np.signbit(found[found == 0]).any()


def test_what_the_lessons_in_the_browser_import_needs_no_scipy():
    code = "from capslib import digits, equations, exercises, faces, networks, plots, poses, weights, widgets\n"
    code += "import sys; print([name for name in sys.modules if name.split('.')[0] == 'scipy'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
