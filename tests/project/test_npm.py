"""What npm brings is unpacked by every Python that the course accepts."""

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools.web import npm


def packed(path, *names):
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"kept"))
    return path


@pytest.mark.filterwarnings("ignore:Python 3.14:DeprecationWarning")
def test_an_archive_is_unpacked_with_and_without_the_filter_of_later_pythons(tmp_path, monkeypatch):
    for kind in ("with", "without"):
        folder = tmp_path / kind
        folder.mkdir()
        npm.unpack(packed(tmp_path / "a.tgz", "package/a.js", "package/b/c.js"), folder)
        assert sorted(file.name for file in folder.rglob("*.js")) == ["a.js", "c.js"]
        assert (folder / "package/b/c.js").read_bytes() == b"kept"
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="this Python has no filter")
def test_no_file_is_unpacked_outside_the_folder(tmp_path):
    folder = tmp_path / "inside"
    folder.mkdir()
    with pytest.raises(tarfile.FilterError):
        npm.unpack(packed(tmp_path / "a.tgz", "../outside.js"), folder)
    assert not (tmp_path / "outside.js").exists()


@pytest.mark.filterwarnings("ignore:Python 3.14:DeprecationWarning")
def test_two_that_fetch_at_once_both_find_the_package(tmp_path, monkeypatch):
    """Tests run side by side, and the first two that need a package are often as fast as each other."""
    source, kept = packed(tmp_path / "source.tgz", "package/a.js"), tmp_path / "kept"

    def npm_pack(command, cwd, **options):
        shutil.copy(source, Path(cwd) / "a.tgz")
        (kept / "a@1").mkdir()  # The other one is done meanwhile.
        (kept / "a@1" / "a.js").write_bytes(b"kept")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", npm_pack)
    found = npm.fetched(npm.Package("a@1", hashlib.sha256(source.read_bytes()).hexdigest()), kept)
    assert found == kept / "a@1" and (found / "a.js").read_bytes() == b"kept"
    assert list(kept.iterdir()) == [found]
