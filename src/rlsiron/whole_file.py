"""Writes a file that is in place when all of it is there, and never before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from rlsiron.errors import RlsironError


def refuse_output(path: Path, *, sources: Iterator[Path] | tuple[Path, ...]) -> None:
    """Refuse an output that no file can be, or that is one of the inputs."""
    path = _target(path)
    name = repr(str(path))
    if path.exists() and any(path.samefile(source) for source in sources):
        raise RlsironError(f"the output {name} is the input; name another file")
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise RlsironError(f"the output {name} is no file; name one, or leave it out to print it")
    if not path.parent.is_dir():
        raise RlsironError(f"there is no folder {str(path.parent)!r} for the output; make it first")


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Give a stream that becomes the file `path` when all of it is on the disk, else nothing.

    Raises
    ------
    RlsironError
        If it cannot be written, such as on a disk that is full.
    """
    path = _target(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        settled(path.parent)
    except OSError as fault:
        raise RlsironError(
            f"the output {str(path)!r} cannot be written: {fault.strerror or fault}; nothing of it "
            "is in place"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def settled(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can."""
    with suppress(PermissionError):  # Windows opens no folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _target(path: Path) -> Path:
    return Path(os.path.realpath(path))  # unlike `resolve`, at ease with a loop of links
