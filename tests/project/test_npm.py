"""What npm brings is unpacked by every Python that the course accepts."""

import io
import tarfile

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
