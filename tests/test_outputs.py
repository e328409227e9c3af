"""An output is there when it is whole, and is never an input."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from rlsiron.errors import RlsironError
from rlsiron.whole_file import refuse_output, written_whole


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labs.csv"


@contextmanager
def written(path: Path, source: Path) -> Iterator[BinaryIO]:
    refuse_output(path, sources=(source,))
    with written_whole(path) as stream:
        yield stream


def test_a_file_is_there_when_it_is_whole(tmp_path: Path, file: Path) -> None:
    out = tmp_path / "out.csv"
    file.touch()
    out.write_text("earlier", encoding="utf-8")
    with written(out, file) as stream:
        stream.write("µ\n".encode())
        assert out.read_text(encoding="utf-8") == "earlier"
    assert out.read_bytes() == "µ\n".encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labs.csv", "out.csv"]


@pytest.mark.parametrize("fault", [RlsironError, KeyboardInterrupt, OSError])
def test_a_fault_leaves_nothing_behind(
    tmp_path: Path, file: Path, fault: type[BaseException]
) -> None:
    file.touch()

    def write_half() -> None:
        with written(tmp_path / "out.csv", file) as stream:
            stream.write(b"half")
            raise fault

    with pytest.raises(RlsironError if fault is OSError else fault):
        write_half()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("link", ["itself", "symlink", "hardlink", "dots"])
def test_the_input_is_never_the_output(tmp_path: Path, file: Path, link: str) -> None:
    file.write_text("ferritin\n62 ng/mL\n", encoding="utf-8")
    out = {"itself": file, "dots": tmp_path / "x" / ".." / "labs.csv"}.get(link, tmp_path / link)
    if link == "symlink":
        out.symlink_to(file)
    if link == "hardlink":
        out.hardlink_to(file)
    with (
        pytest.raises(RlsironError, match="is the input; name another file"),
        written(out, file),
    ):
        pass
    assert file.read_text(encoding="utf-8") == "ferritin\n62 ng/mL\n"


def test_a_link_stays_one(tmp_path: Path, file: Path) -> None:
    file.touch()
    link, target = tmp_path / "link.csv", tmp_path / "target.csv"
    link.symlink_to(target)
    with written(link, file) as stream:
        stream.write(b"x")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "x"


def test_what_is_no_file_is_not_replaced(tmp_path: Path, file: Path) -> None:
    file.touch()
    for out in (tmp_path, Path(os.devnull)):
        with (
            pytest.raises(RlsironError, match="is no file; name one, or leave it out to print it"),
            written(out, file),
        ):
            pass


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, file: Path) -> None:
    file.touch()
    with (
        pytest.raises(RlsironError, match=r"there is no folder '.*' for the output; make it first"),
        written(tmp_path / "none" / "out.csv", file),
    ):
        pass
