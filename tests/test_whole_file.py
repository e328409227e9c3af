"""A file that is in place when all of it is there, and never before."""

from pathlib import Path
from typing import BinaryIO

import pytest

from rlsiron.errors import RlsironError
from rlsiron.whole_file import refuse_output, settled, written_whole


def test_a_file_is_in_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with written_whole(path) as stream:
        stream.write(b"whole")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def write_half(stream: BinaryIO) -> None:
    stream.write(b"half")
    raise KeyError


def test_a_fault_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")
    with pytest.raises(KeyError), written_whole(path) as stream:
        write_half(stream)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_fault_of_the_disk_is_one_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(RlsironError, match=r"out.csv' cannot be written: No space left on device; "),
        written_whole(tmp_path / "out.csv"),
    ):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_fault_without_words_of_the_system_is_shown(tmp_path: Path) -> None:
    with (
        pytest.raises(RlsironError, match="cannot be written: odd; nothing"),
        written_whole(tmp_path / "out.csv"),
    ):
        raise OSError("odd")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "out.csv"
    link.symlink_to(tmp_path / "there.csv")
    with written_whole(link) as stream:
        stream.write(b"whole")
    assert link.is_symlink()
    assert link.read_bytes() == b"whole"


def test_an_output_that_is_an_input_is_refused_by_any_name(tmp_path: Path) -> None:
    path, link = tmp_path / "labs.csv", tmp_path / "link.csv"
    path.touch()
    link.symlink_to(path)
    for name in (path, link, tmp_path / "." / "labs.csv"):
        with pytest.raises(RlsironError, match="is the input; name another file"):
            refuse_output(name, sources=(path,))


def test_an_output_that_no_file_can_be_is_refused(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path, "is no file; name one"),
        (Path("/dev/null"), "is no file; name one"),
        (tmp_path / "none" / "out.csv", "there is no folder"),
    ):
        with pytest.raises(RlsironError, match=why):
            refuse_output(path, sources=())
    refuse_output(tmp_path / "out.csv", sources=())


def test_a_system_that_opens_no_folder_is_let_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("os.open", refused)
    settled(tmp_path)
