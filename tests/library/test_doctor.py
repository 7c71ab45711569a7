"""`python -m capslib.doctor`: each check sees what it is for, and says what to do."""

import os
import subprocess
import sys
import tomllib
import types
from collections import namedtuple

import pytest
from packaging.specifiers import SpecifierSet

from capslib import doctor
from tests import ROOT


def test_on_a_machine_that_runs_these_tests_all_is_fine(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    findings = doctor.examine()
    assert [finding.name for finding in findings if not finding.fine] == []
    lines = doctor.report(findings).splitlines()
    assert len(lines) == 10 and all(line.startswith("ok ") for line in lines)
    assert "5,000 bundled" in doctor.report(findings)


def test_the_command_fails_if_something_is_not_ready_and_says_what_to_do(tmp_path):
    environment = {**os.environ, "CAPSLIB_MNIST": str(tmp_path / "none.npz"), "KERAS_BACKEND": "theano"}
    code = (
        "from capslib import doctor; doctor.CHECKS = (doctor.backend, doctor.data, doctor.disk); "
        "raise SystemExit(doctor.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    backend, data, disk = done.stdout.splitlines()
    assert done.returncode == 1 and done.stderr == ""
    assert backend.startswith("NO KERAS_BACKEND") and "theano" in backend
    assert data.startswith("NO digits") and data.endswith("→ unset it, or mend the path")
    assert disk.startswith("ok ")


@pytest.mark.parametrize(("version", "fine"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_it_knows_the_pythons_of_the_project(version, fine, monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (".".join(map(str, version)) in SpecifierSet(project["requires-python"])) == fine
    info = namedtuple("info", "major minor micro")
    monkeypatch.setattr(sys, "version_info", info(*version, 0))
    assert doctor.python().fine == fine


def test_other_versions_and_missing_packages_are_named(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==0.1\nno-such-package==1.0\n    # via numpy\nwinonly==1 ; sys_platform == 'win32'\n")
    finding = doctor.packages(lock)
    assert not finding.fine and "make setup" in finding.remedy
    assert "no-such-package missing instead of 1.0" in finding.found and " instead of 0.1" in finding.found
    assert "winonly" not in finding.found
    assert doctor.packages(tmp_path / "none").fine, "an installed copy has no lock to compare with"


def test_a_tensorflow_that_is_loaded_is_not_loaded_again(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace(__version__="9.9"))
    monkeypatch.setattr(subprocess, "run", None)
    assert doctor.tensorflow() == doctor.Finding("TensorFlow", True, "9.9 is loaded")


def test_a_tensorflow_that_does_not_load_is_quoted(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    done = subprocess.CompletedProcess([], 1, "", "Traceback\nImportError: no such symbol\n")
    monkeypatch.setattr(subprocess, "run", lambda *given, **options: done)
    finding = doctor.tensorflow()
    assert not finding.fine and finding.found == "ImportError: no such symbol" and finding.remedy == doctor.SETUP
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert "Intel" in doctor.tensorflow().remedy


def test_a_tensorflow_that_never_loads_is_said_to(monkeypatch):
    def never(*given, **options):
        raise subprocess.TimeoutExpired("python", 300)

    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(subprocess, "run", never)
    assert not doctor.tensorflow().fine


def test_a_jupyterlab_without_the_widgets_is_seen(monkeypatch, tmp_path):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])
    finding = doctor.widgets()
    assert not finding.fine and all(name in finding.found for name in doctor.EXTENSIONS)


def test_digits_that_cannot_be_read_are_said_to(monkeypatch):
    def damaged(source):
        raise ValueError("the file is damaged")

    monkeypatch.setattr("capslib.digits.load", damaged)
    finding = doctor.data()
    assert not finding.fine and finding.found == "the file is damaged"


def test_damaged_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr("capslib.weights.FOLDER", tmp_path)
    assert not doctor.networks().fine
    (tmp_path / "some.json").write_text('{"sha256": "0"}')
    monkeypatch.setattr("capslib.weights.arrays", lambda name: (_ for _ in ()).throw(ValueError(f"{name} is damaged")))
    assert doctor.networks().found == "some is damaged"


def test_too_little_memory_or_disk_is_seen(monkeypatch):
    monkeypatch.setattr(doctor, "MEMORY", 1e6)
    monkeypatch.setattr(doctor, "DISK", 1e9)
    assert not doctor.memory().fine and not doctor.disk().fine


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / "file" / name)
    finding = doctor.folders()
    assert not finding.fine and str(tmp_path / "file") in finding.found


def test_what_fails_ends_with_its_remedy_in_one_line():
    findings = [doctor.Finding("one", True, "there"), doctor.Finding("two", False, "gone", "fetch it")]
    assert doctor.report(findings) == "ok one           there\nNO two           gone → fetch it"
