"""Tells which test a code means: LOINC, OMOP, or a local one that the caller names.

Nothing is known by its name alone. What only looks like an analyte is refused.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from rlsiron import units
from rlsiron.catalog import document
from rlsiron.errors import RlsironError, did_you_mean, shown

_LOINC = re.compile(r"[0-9]{1,7}-[0-9]", re.ASCII)


class Meaning(NamedTuple):
    """What a code of a test means.

    Attributes
    ----------
    analyte
        The analyte; empty if it is none.
    reason, what
        Where it is none the code of the reason, and what that reason is filled with.
    percent
        Whether it is one only in %.
    doubt
        What is doubted of it.
    """

    analyte: str = ""
    reason: str = ""
    what: str = ""
    percent: bool = False
    doubt: str = ""


@cache
def _accepted() -> Mapping[str, str]:
    """Return the analyte of each LOINC code and OMOP concept that means one."""
    return {
        str(code): name
        for name, one in units.analytes().items()
        for code in (*one.loinc, *one.omop)
    }


@cache
def _only_in_percent() -> Mapping[str, str]:
    found = document("analytes.toml").data["omop"]["needs_percent"]
    return {str(code): name for name, codes in found.items() for code in codes}


def code_text(given: object) -> str:
    """Return a code as text; an extract with empty cells has its numbers as floats.

    Examples
    --------
    >>> code_text(3001122.0), code_text(" 2276-4 ")
    ('3001122', '2276-4')
    """
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return str(given).strip()


def check_digit(stem: str) -> int:
    """Return the digit behind the hyphen of a LOINC code, by Luhn's rule.

    Examples
    --------
    >>> check_digit("2276")
    4
    """
    doubled = "".join(str(2 * int(digit)) for digit in stem[::-2])
    return -sum(map(int, doubled + stem[-2::-2])) % 10


def local_codes(tests: Mapping[object, str]) -> Mapping[str, str]:
    """Return the caller's own codes and names, each with its analyte, checked.

    Raises
    ------
    RlsironError
        If an analyte is unknown, or a code is known as another test, or as none.

    Examples
    --------
    >>> local_codes({50924: "ferritin"})
    {'50924': 'ferritin'}
    >>> local_codes({"2501-5": "tibc"})
    Traceback (most recent call last):
    ...
    rlsiron.errors.RlsironError: tests= names '2501-5' as tibc, and it is uibc; remove it
    """
    found: dict[str, str] = {}
    for given, name in tests.items():
        code = code_text(given)
        units.analyte(name)
        known = found.get(code) or _known_as(code)
        if known not in {"", name}:
            said = f"tests= names {shown(given)} as {name}, and it is {known}"
            raise RlsironError(f"{said}; remove it")
        found[code] = name
    return found


def _known_as(code: str) -> str:
    """Return what a code is known to be; empty for one of which nothing is known."""
    known = meaning_of(code, {})
    said = {
        "no-test": "no code",
        "bad-loinc": f"{known.what} by its check digit",
        "look-alike": f"none: {known.what}",
    }
    return said.get(known.reason, known.analyte)


def meaning_of(code: str, local: Mapping[str, str]) -> Meaning:
    """Return what a code means.

    Parameters
    ----------
    code
        As `code_text` gives it.
    local
        The caller's own codes, as `local_codes` gives them.

    Examples
    --------
    >>> meaning_of("2276-4", {}).analyte
    'ferritin'
    >>> meaning_of("30248-9", {})[1:3]
    ('look-alike', 'soluble transferrin receptor')
    """
    loinc = document("analytes.toml").data["loinc"]
    if code in _only_in_percent():
        return Meaning(_only_in_percent()[code], percent=True)
    name = local.get(code) or _accepted().get(code)
    if name:
        doubt = loinc["remarks"][code] if code in loinc["doubted"] else ""
        return Meaning(name, doubt=doubt)
    if code in loinc["never"]:
        return Meaning(reason="look-alike", what=loinc["never"][code])
    if _LOINC.fullmatch(code):
        stem, digit = code.split("-")
        right = check_digit(stem)
        if right != int(digit):
            return Meaning(reason="bad-loinc", what=f"{stem}-{right}")
        return Meaning(reason="other-test")
    return _of_name(code, local) if code else Meaning(reason="no-test")


def _of_name(code: str, local: Mapping[str, str]) -> Meaning:
    """Return why a local code or a free text means nothing here."""
    names = document("analytes.toml").data["names"]
    folded = " ".join(code.casefold().split())
    alike = next((one for one in names["never"] if one in folded), "")
    if alike:
        return Meaning(reason="look-alike", what=alike)
    if folded in map(str.casefold, names["ambiguous"]):
        return Meaning(reason="ambiguous-test")
    hint = "" if code.isdigit() else did_you_mean(code, local)
    return Meaning(reason="unknown-test", what=hint if "did you mean" in hint else "")
