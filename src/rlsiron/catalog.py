"""Opens the knowledge files: TOML in, plain dicts out; knows no grammar."""

import hashlib
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Any

from rlsiron.errors import GuidelineError, did_you_mean, shown

LARGEST_FILE = 1_000_000  # bytes; a larger file is refused unread
_DEEPEST = (
    200  # dots or brackets on a line; more are no knowledge, and cost TOML readers their time
)


@dataclass(frozen=True, slots=True)
class Document:
    """One knowledge file: its name, its text, and what TOML makes of it."""

    name: str
    text: str
    data: dict[str, Any] = field(hash=False, compare=False)

    @property
    def sha256(self) -> str:
        """The fingerprint of the text, line ends folded."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def line_of(self, *patterns: str) -> int | None:
        """Return the line where patterns are found, each sought after the one before.

        It is that of the last one found; None where not even the first is.
        """
        line, at = None, 0
        for pattern in patterns:
            found = re.compile(pattern, re.MULTILINE).search(self.text, at)
            if found is None:
                break
            at = found.end()
            line = self.text.count("\n", 0, found.start()) + 1
        return line


def _parse(name: str, text: str) -> Document:
    for number, line in enumerate(text.splitlines(), 1):
        if max(line.count("."), line.count("["), line.count("{")) > _DEEPEST:
            message = f"{name}, line {number}: nested too deeply to be a guideline"
            raise GuidelineError(message)
    try:
        return Document(name, text, tomllib.loads(text))
    except (ValueError, RecursionError) as fault:
        message = f"{name} is not TOML: {fault}"
        raise GuidelineError(message) from None


@cache
def document(name: str) -> Document:
    """Return one of the library's own knowledge files, such as ``"facts.toml"``."""
    return _parse(name, text_of(name))


def text_of(name: str) -> str:
    """Return the text of one of the library's own files, such as ``"units.txt"``."""
    return files("rlsiron.data").joinpath(*name.split("/")).read_text(encoding="utf-8")


@cache
def guideline_ids() -> tuple[str, ...]:
    """Return the ids of the guidelines that ship with the library, in alphabetical order."""
    return _ids("guidelines")


@cache
def status_ids() -> tuple[str, ...]:
    """Return the ids of the files on general iron status, in alphabetical order."""
    return _ids("status")


def _ids(folder: str) -> tuple[str, ...]:
    names = (entry.name for entry in files("rlsiron.data").joinpath(folder).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def guideline_files(given: str | Path) -> tuple[str | Path, ...]:
    """Return what was given, or of a folder the guideline files in it, in the order of their names.

    Raises
    ------
    GuidelineError
        If the folder has none.
    """
    folder, there = Path(given), False
    with suppress(OSError):  # no name of a file
        there = given not in guideline_ids() and folder.is_dir()
    if not there:
        return (given,)
    found = tuple(sorted(folder.glob("*.toml")))
    if not found:
        message = f"the folder {str(folder)!r} has no guideline file; name them <id>.toml"
        raise GuidelineError(message)
    return found


def guideline_document(given: str | Path) -> Document:
    """Return the file of a guideline, by its id or by the path of a user's own file.

    Raises
    ------
    GuidelineError
        If no guideline has the id, or the file cannot be read, is over 1 MB, or is not TOML.
    """
    if isinstance(given, str) and given in guideline_ids():
        return document(f"guidelines/{given}.toml")
    path = Path(given)
    if isinstance(given, str) and path.suffix != ".toml":
        message = f"unknown guideline {shown(given)}{did_you_mean(given, guideline_ids())}"
        raise GuidelineError(message)
    try:
        endless = path.exists() and not path.is_file()  # a pipe or a device
        size = inf if endless else path.stat().st_size
        text = path.read_text(encoding="utf-8-sig") if size <= LARGEST_FILE else ""
    except UnicodeDecodeError:
        message = f"cannot read the guideline file {str(path)!r}: it is not UTF-8; save it so"
        raise GuidelineError(message) from None
    except (OSError, ValueError) as fault:  # not there, not to be opened
        message = f"cannot read the guideline file {str(path)!r}: {fault}"
        raise GuidelineError(message) from None
    if size > LARGEST_FILE:
        message = f"cannot read the guideline file {path}: no file of {LARGEST_FILE} bytes at most"
        raise GuidelineError(message)
    return _parse(str(path), text)
