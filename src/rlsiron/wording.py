"""Fills the sentences of the file of notes; knows the language, and nothing of medicine."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from string import Formatter
from typing import Any, NamedTuple

from rlsiron.catalog import document
from rlsiron.models import Note

LANGUAGE = "notes/en.toml"


class Template(NamedTuple):
    """A note before its text is filled."""

    category: Any
    severity: Any
    text: str
    sources: tuple[str, ...]
    verified: Any
    urgent: bool


@cache
def templates() -> Mapping[str, Template]:
    """Return every note by its code."""
    return {
        code: Template(
            category=table["category"],
            severity=table["severity"],
            text=table["text"],
            sources=tuple(table.get("sources", ())),
            verified=table.get("verified"),
            urgent=table.get("urgent", False),
        )
        for code, table in document(LANGUAGE).data["note"].items()
    }


@cache
def text_takes(code: str, name: str) -> bool:
    """Whether the text of a note has a placeholder of a name."""
    return name in {field for _, field in _parts(templates()[code].text)}


@cache
def word(kind: str, code: str) -> str:
    """Return the words for a code, such as those of the disposition ``"iv-iron"``."""
    return str(document(LANGUAGE).data[kind][code])


def phrases(kind: str) -> Mapping[str, str]:
    """Return all the words of a kind, by code."""
    return document(LANGUAGE).data[kind]  # type: ignore[no-any-return]


def phrase(name: str) -> str:
    """Return a sentence that is no note, such as ``"intended_use"``."""
    return str(document(LANGUAGE).data[name])


@cache
def _parts(text: str) -> tuple[tuple[str, str | None], ...]:
    """Return the literal parts of a text, each with the placeholder behind it."""
    return tuple((literal, name) for literal, name, _, _ in Formatter().parse(text))


def _filled(value: object) -> str:
    """Return a value as a text shows it: numbers without the noise of floats, lists in words."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple) and type(value).__str__ is object.__str__:
        return listed([_filled(part) for part in value], "and")
    return str(value)


def fill(text: str, filling: Mapping[str, object]) -> str:
    """Return a text with its placeholders filled, its first letter a capital."""
    parts = _parts(text)
    words = [part + _filled(filling[name]) if name else part for part, name in parts]
    said = "".join(words)
    return said[:1].upper() + said[1:]


def note(code: str, **filling: object) -> Note:
    """Return the note of a code, its text filled.

    `sources` and `verified`, where they are among the filling, stand in for those of the file.
    """
    template = templates()[code]
    return Note.trusted(
        code=code,
        category=template.category,
        severity=template.severity,
        text=fill(template.text, filling),
        sources=filling.get("sources", template.sources),
        verified=filling.get("verified", template.verified),
    )


def listed(words: Sequence[str], last: str) -> str:
    """Return words as a list in prose.

    Examples
    --------
    >>> listed(["ferritin", "TSAT", "the age"], "and")
    'ferritin, TSAT and the age'
    """
    comma = "; " if any(f" {last} " in word for word in words) else ", "
    ending = f"{comma.strip()} {last} " if comma == "; " else f" {last} "
    return ending.join([comma.join(words[:-1]), words[-1]]) if words[1:] else "".join(words)


def options(dispositions: Iterable[str]) -> str:
    """Return dispositions in words, as alternatives.

    Examples
    --------
    >>> options(["iv-iron", "no-iron"])
    'IV iron or no reason to start iron'
    >>> options(["iv-iron", "oral-or-iv-iron", "no-iron"])
    'IV iron; oral or IV iron; or no reason to start iron'
    """
    return listed([word("disposition", disposition) for disposition in dispositions], "or")


def inputs(names: Iterable[str], last: str) -> str:
    """Return inputs in words.

    Examples
    --------
    >>> inputs(["tsat", "drawn"], "or")
    'TSAT or the date of the draw'
    """
    return listed([word("input", name) for name in names], last)
