"""The checks of the widgets' JavaScript: findings fail, and where the tools can't be had one line says so."""

import os
import shutil
import subprocess

import pytest

from tests import ROOT

LEFT_OUT = "checks of the widgets' JavaScript are left out"
NEEDED = ("sh", "cat", "dirname", "mkdir", "chmod")


@pytest.fixture
def lint(tmp_path):
    """Run tools/lint_js.sh in a folder of its own with a stand-in for npm, a shell script, or with none."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(shutil.which(name))
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/lint_js.sh", tmp_path / "tools")

    def lint(npm=None):
        (programs / "npm").unlink(missing_ok=True)
        if npm is not None:
            (programs / "npm").write_text(f"#!{programs}/sh\n{npm}\n")
            (programs / "npm").chmod(0o755)
        environment = {**os.environ, "PATH": str(programs)}
        command = [programs / "sh", "tools/lint_js.sh"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return lint


def bringing(tsc="exit 0", biome="exit 0"):
    """An npm that brings these two programs; asked for their version, they answer."""
    make = "mkdir -p build/js/node_modules/.bin; cd build/js/node_modules/.bin"
    for name, does in (("tsc", tsc), ("biome", biome)):
        make += f"\necho '[ \"$1\" = --version ] && exit 0; {does}' >{name}; chmod +x {name}"
    return make


@pytest.mark.parametrize(
    "npm", [None, "echo no network >&2; exit 1", "exit 0"], ids=["no npm", "no network", "nothing"]
)
def test_without_the_tools_one_line_says_that_the_checks_are_left_out(lint, npm):
    done = lint(npm)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.count("\n") == 1 and LEFT_OUT in done.stdout and "npm" in done.stdout


@pytest.mark.parametrize("finding", ["tsc", "biome"])
def test_a_finding_of_either_tool_fails(lint, finding):
    done = lint(bringing(**{finding: "echo found; exit 2"}))
    assert done.returncode != 0 and "found" in done.stdout


def test_once_the_tools_are_there_npm_is_not_asked_again(lint):
    assert lint(bringing()).returncode == 0
    done = lint("echo asked; exit 1")
    assert done.returncode == 0 and done.stdout == ""
