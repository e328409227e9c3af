"""Says the conditions of the knowledge files in words, with the limits that the files print."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rlsiron.grammar import in_use
from rlsiron.guideline import Guideline, Population
from rlsiron.units import analytes
from rlsiron.wording import listed, word

Way = Mapping[str, Any]
"""One way for a rule to apply, as its file has it: all of it must hold."""

_PRINTED = (("<=", "≤"), (">=", "≥"), ("ug/", "µg/"))  # as a file writes it, and a paper prints it


def ways_of(filed: Way) -> list[dict[str, Any]]:
    """Return the ways for a rule to apply, as its file has them; one that is empty always does."""
    return filed.get("any") or [filed.get("when", {})]


def conditions(
    guideline: Guideline,
) -> Iterator[tuple[Population, dict[str, Any], dict[str, list[dict[str, Any]]]]]:
    """Yield each population with whom it speaks of, and the ways of its rules and remarks by id."""
    for population, filed in zip(
        guideline.populations, guideline.document.data["population"], strict=True
    ):
        said = (*filed["rule"], *filed.get("remark", ()))
        yield population, filed["applies"], {rule["id"]: ways_of(rule) for rule in said}


def parameters(guideline: Guideline | None = None) -> Mapping[str, str]:
    """Return what the named numbers of a limit are, those of the file before those of all."""
    return in_use(guideline.parameters if guideline else ())


def in_words(ways: Sequence[Way], known: Mapping[str, str]) -> str:
    """Return a condition as one says it; empty where it always holds.

    Parameters
    ----------
    ways
        The ways for it to hold.
    known
        The named numbers.

    Examples
    --------
    >>> in_words([{"ferritin": "<= 75 ug/L", "iv-reason": True}, {"tsat": "< 20 %"}], {})
    'ferritin ≤ 75 µg/L and iv-reason yes; or TSAT < 20 %'
    """
    return "; or ".join(
        " and ".join(_one(name, given, known) for name, given in way.items()) for way in ways
    )


def _one(name: str, given: Any, known: Mapping[str, str]) -> str:  # noqa: ANN401 - as TOML has it
    if isinstance(given, bool):
        return f"{name} {'yes' if given else 'no'}"
    parts = [given] if isinstance(given, str) else given
    if name not in {"age", *analytes()}:
        return f"{name} {listed(parts, 'or')}"
    title = "age" if name == "age" else word("analyte", name)
    return f"{title} {listed([_limit(part, known) for part in parts], 'and')}"


def _limit(text: str, known: Mapping[str, str]) -> str:
    """Return a limit as it is printed, a parameter as its value."""
    operator, limit = re.findall(r"[<>]=?|[^<>=\s].*", text)
    return printed(f"{operator} {known.get(limit, limit)}")


def printed(limit: str) -> str:
    """Return a limit, or a number with its unit, as it is printed.

    Examples
    --------
    >>> printed(">= 300 ug/L")
    '≥ 300 µg/L'
    """
    for filed, sign in _PRINTED:
        limit = limit.replace(filed, sign)
    return limit
