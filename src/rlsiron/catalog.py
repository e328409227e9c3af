"""Opens the knowledge files: TOML in, plain dicts out; knows no grammar."""

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from rlsiron.errors import GuidelineError, did_you_mean

LARGEST_FILE = 1_000_000  # bytes; a larger file is refused unread


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

    def line_of(self, *anchors: str) -> int | None:
        """Return the line of the last of some strings, each sought after the one before."""
        at = -1
        for anchor in anchors:
            at = self.text.find(anchor, at + 1)
            if at < 0:
                return None
        return self.text.count("\n", 0, at) + 1


def _parse(name: str, text: str) -> Document:
    try:
        return Document(name, text, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
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
    folder = files("rlsiron.data").joinpath("guidelines")
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


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
        message = f"unknown guideline {given!r}{did_you_mean(given, guideline_ids())}"
        raise GuidelineError(message)
    try:
        if path.stat().st_size > LARGEST_FILE:
            message = f"{path} is over {LARGEST_FILE} bytes; a guideline file is a few thousand"
            raise GuidelineError(message)
        return _parse(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        message = f"cannot read the guideline file {str(path)!r}: {fault}"
        raise GuidelineError(message) from None
