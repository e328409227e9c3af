"""Reads one reported value: text, number or quantity in, an interval in the canonical unit out."""

import re
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from math import inf
from numbers import Integral, Real
from typing import NamedTuple, NoReturn

from rlsiron.errors import ReadingError, UnitError, shown
from rlsiron.models import Bound, LabResult
from rlsiron.units import (
    GRID,
    LARGEST,
    Factor,
    convert,
    factor,
    from_quantity,
    is_quantity,
    settle,
    spellings,
    unit_code,
)
from rlsiron.units import analyte as analyte_of

LONGEST = 200  # characters of a result
_TO_POINT = str.maketrans(",", ".", ". '")  # groups are joined, the comma becomes a point
_UPPER = frozenset({"<", "<="})
_LOWER = frozenset({">", ">="})
_NOT_PER = r"(?<![\s/\u2044\u2215])(?<!\bper)"  # the L of "ug / L" is no flag, its 100 mL no number
_MORE = re.compile(rf"\s*[\d.,'_^+\u2010-\u2015\u2212-]|.*{_NOT_PER}\s+\d", re.DOTALL)


class _Domain(NamedTuple):
    """What a value of an analyte can be, in the canonical unit."""

    units: tuple[str, ...]
    zero: bool
    maximum: float
    low: float
    high: float


@cache
def _domain(analyte: str) -> _Domain:
    known = analyte_of(analyte)
    limit, window = known.maximum, known.plausible
    return _Domain(
        units=known.units,
        zero=known.zero,
        maximum=convert(analyte, limit.value, limit.unit, known.unit) if limit else inf,
        low=convert(analyte, window.low, window.unit, known.unit) if window else 0.0,
        high=convert(analyte, window.high, window.unit, known.unit) if window else inf,
    )


@cache
def _bounds() -> dict[str, Bound]:
    return dict(spellings()["comparators"])


@cache
def _pattern(decimal: str) -> re.Pattern[str]:
    number = {
        ".": r"(?:[0-9]+|(?=\.[0-9]))(?:\.(?P<places>[0-9]+))?",
        # groups of three by one and the same sign; "0.500" is none, a number begins with 1 to 9
        ",": r"(?:[1-9][0-9]{0,2}(?P<sign>[. '])[0-9]{3}(?:(?P=sign)[0-9]{3})*(?![0-9])"
        r"|[0-9]+|(?=,[0-9]))(?:,(?P<places>[0-9]+))?",
    }[decimal]
    words = sorted(_bounds(), key=len, reverse=True)
    bounds = "|".join(r"\s+".join(map(re.escape, word.split())) for word in words)
    return re.compile(
        rf"(?:(?![0-9])(?P<bound>(?i:{bounds}))\s*)?"
        r"\^?"  # HL7 v2 writes a structured number as comparator^number
        rf"(?P<number>[+-]?{number}(?:[eE](?P<power>[+-]?[0-9]+))?)(?P<rest>.*)",
        re.DOTALL,
    )


@cache
def _flags() -> tuple[re.Pattern[str], re.Pattern[str]]:
    letters = "|".join(spellings()["flags"]["letters"])
    signs = "|".join(map(re.escape, spellings()["flags"]["signs"]))
    marked = rf"\s*(?:{signs}|\((?:{letters}|{signs})\)|\[(?:{letters}|{signs})\])"
    return (
        re.compile(rf"{marked}|\s+(?:{letters})(?=\s|$)"),
        re.compile(rf"(?:{marked}|{_NOT_PER}\s+(?:{letters}))\s*$"),
    )


@lru_cache(maxsize=1024)
def _own_unit(rest: str) -> str | None:
    """Return the unit behind a number, flags taken off; None where more than a unit stands."""
    before, behind = _flags()
    flag = before.match(rest)
    unit = behind.sub("", rest[flag.end() :] if flag else rest)
    return None if _MORE.match(unit) else unit.strip()


@cache
def _missing_words() -> frozenset[str]:
    return frozenset({"", *spellings()["missing"]["words"]})


def read_result(
    analyte: str, given: object, *, unit: str | None = None, decimal: str = "."
) -> LabResult:
    """Return one reported value as an interval in the analyte's canonical unit.

    Parameters
    ----------
    analyte
        What was measured, such as ``"ferritin"``.
    given
        Text (``"62 ng/mL"``, ``"<5 µg/L"``, ``"hemolyzed"``), a number, a pair of value and unit, a
        pint quantity, or a `LabResult`, which is returned as it is.
    unit
        The declared unit; a unit that the text, the quantity or the pair states itself goes before
        it, with the code ``own-unit-wins`` where they differ.
    decimal
        The decimal sign of a text: ``"."``, or ``","``, which allows groups of three digits.

    Returns
    -------
    LabResult
        A point, a bound, or a missing result with its reason; its `codes` are among
        ``own-unit-wins``, ``zero-value`` and ``implausible``.

    Raises
    ------
    UnitError
        If the analyte is unknown, there is no unit, or none in which it is reported.
    ReadingError
        If the value cannot be read, or cannot be a result of this analyte.

    Examples
    --------
    >>> read_result("ferritin", "7.5 µg/dL").low
    75.0
    >>> read_result("tsat", 0.29, unit="1").low
    29.0
    >>> read_result("ferritin", "QNS").missing
    'QNS'
    >>> read_result("ferritin", "75,3 ng/mL")
    Traceback (most recent call last):
    ...
    rlsiron.errors.ReadingError: ferritin '75,3 ng/mL' has a comma; declare decimal=',' if it is \
the decimal sign, or leave it out if it parts thousands
    """
    analyte_of(analyte)  # an unknown one is refused before all else
    if decimal != "." and decimal != ",":  # noqa: PLR1714 - a set refuses what has no hash
        raise ReadingError(f"unknown decimal sign {shown(decimal)}; declare '.' or ','")
    stated: tuple[object, ...] = (unit,)
    if isinstance(given, str):
        text = given.strip()
    elif isinstance(given, LabResult):
        return _same(analyte, given)
    else:
        text, stated, decimal = _opened(analyte, given, unit=unit, decimal=decimal)
    match = _pattern(decimal).match(text) if len(text) <= LONGEST else None
    if match is None:
        return _without_number(analyte, given, text)

    word, number, places, power, rest = match.group("bound", "number", "places", "power", "rest")
    own = _own_unit(rest)
    if own is None:
        _refuse_rest(analyte, given, rest=rest, decimal=decimal)
    codes: tuple[str, ...] = ()
    if own and len(stated) == 1 and unit is None:
        code, reported = unit_code(analyte, own), text
    else:
        code, reported, codes = _choose_unit(analyte, given, text=text, units=(own, *stated))
    if number[0] == "-":
        _refuse(analyte, given, "is negative; no result is below zero")
    ratio = factor(analyte, code)
    value = float(number if decimal == "." else number.translate(_TO_POINT))
    bound = _bounds()[" ".join(word.casefold().split())] if word else ""
    return _interval(
        analyte,
        given,
        limit=settle(value, ratio),
        bound=bound,
        half_step=0.0 if bound else _half_step(places, power, ratio),
        unit=code,
        reported=reported,
        codes=codes,
    )


def ordinary(analyte: str) -> tuple[float, float]:
    """Return the least and the greatest point, in the canonical unit, read with nothing to note.

    Examples
    --------
    >>> ordinary("ferritin"), ordinary("tsat")
    ((1.0, 100000.0), (1e-09, 100.0))
    """
    domain = _domain(analyte)
    return max(domain.low, settle(1 / GRID)), min(domain.high, domain.maximum, LARGEST)


def _interval(
    analyte: str,
    given: object,
    *,
    limit: float,
    bound: Bound,
    half_step: float,
    unit: str,
    reported: str,
    codes: tuple[str, ...],
) -> LabResult:
    domain = _domain(analyte)
    if not (limit <= LARGEST and half_step <= LARGEST):
        _refuse(analyte, given, "is not a measurement; it is too large")
    if limit == 0:
        codes = _at_zero(analyte, given, bound=bound, codes=codes)
    if limit >= domain.maximum:
        _at_maximum(analyte, given, limit=limit, bound=bound, unit=unit)
    if not domain.low <= limit <= domain.high:
        codes = (*codes, "implausible")
    most = None if domain.maximum == inf else domain.maximum
    return LabResult.trusted(
        analyte=analyte,
        reported=reported,
        unit=unit,
        low=0.0 if bound in _UPPER else limit,
        high=most if bound in _LOWER else limit,
        low_open=bound == ">",
        high_open=bound == "<",
        bound=bound,
        half_step=half_step,
        missing="",
        codes=codes,
    )


def _refuse(analyte: str, given: object, why: str) -> NoReturn:
    raise ReadingError(f"{analyte} {shown(given)} {why}")


def _same(analyte: str, given: LabResult) -> LabResult:
    if given.analyte != analyte:
        raise ReadingError(f"a result of {given.analyte} was given as {analyte}; give it as such")
    return given


def _opened(
    analyte: str, given: object, *, unit: str | None, decimal: str
) -> tuple[str, tuple[object, ...], str]:
    """Return the text of what is no text itself, the units stated, and the decimal sign."""
    value = given
    stated: tuple[object, ...] = (unit,)
    if isinstance(given, tuple | list):
        if len(given) != 2:  # noqa: PLR2004 - a pair
            _refuse(analyte, given, "is not a pair of value and unit, such as (62, 'ng/mL')")
        value, stated = given[0], (given[1], unit)
    if isinstance(value, str):
        return value.strip(), stated, decimal
    if is_quantity(value):
        value, code = from_quantity(analyte, value)
        stated = (code, *stated)
    return _digits(analyte, value), stated, "."


def _digits(analyte: str, value: object) -> str:
    """Return the shortest text of a number; a float of a whole number has no places."""
    try:
        if isinstance(value, Decimal):
            return str(value)
        if isinstance(value, Integral) and not isinstance(value, bool):
            return str(int(value))
        if isinstance(value, Real) and not isinstance(value, bool):
            # the shortest text of a 32-bit float is its own, not that of the 64-bit float
            number = float(value if isinstance(value, float | Fraction) else str(value))
            return repr(number + 0.0).removesuffix(".0")  # -0.0 is 0
    except (TypeError, ValueError, OverflowError):
        pass
    _refuse(analyte, value, "cannot be read; give a number or a text with its unit")


def _without_number(analyte: str, given: object, text: str) -> LabResult:
    if len(text) > LONGEST:
        _refuse(analyte, given, f"is longer than {LONGEST} characters")
    folded = " ".join(text.casefold().split())
    if folded in _bounds():
        _refuse(analyte, given, "is a comparator with no number")
    if folded.rstrip(" .:") not in _missing_words():
        sample = f"62 {_domain(analyte).units[0]}"
        _refuse(analyte, given, f"cannot be read; write a number and its unit, such as {sample!r}")
    return LabResult.trusted(
        analyte=analyte,
        reported=text,
        unit="",
        low=None,
        high=None,
        low_open=False,
        high_open=False,
        bound="",
        half_step=0.0,
        missing=text or spellings()["missing"]["empty"],
        codes=(),
    )


def _refuse_rest(analyte: str, given: object, *, rest: str, decimal: str) -> NoReturn:
    if decimal == "." and rest[0] == ",":
        how = "declare decimal=',' if it is the decimal sign, or leave it out if it parts thousands"
        _refuse(analyte, given, f"has a comma; {how}")
    if decimal == "," and rest[0] == ".":
        _refuse(analyte, given, "has a decimal point; declare decimal='.'")
    _refuse(analyte, given, "has more behind the number than a unit; write one number and its unit")


def _choose_unit(
    analyte: str, given: object, *, text: str, units: tuple[object, ...]
) -> tuple[str, str, tuple[str, ...]]:
    """Return the code of the first unit, the value with it as reported, and what to note."""
    named = [spelling for unit in units if (spelling := _spelling(analyte, unit))]
    if not named:
        sample = _domain(analyte).units[0]
        raise UnitError(
            f"{analyte} {shown(given)} has no unit; write {f'{text} {sample}'!r}, or for a column "
            f"declare units={{{analyte!r}: {sample!r}}}"
        )
    code = unit_code(analyte, named[0])
    differ = any(unit_code(analyte, other) != code for other in named[1:])
    reported = text if units[0] else f"{text} {named[0]}"
    return code, reported, ("own-unit-wins",) if differ else ()


def _spelling(analyte: str, unit: object) -> str:
    if unit is None:
        return ""
    if isinstance(unit, str):
        return unit.strip()
    raise UnitError(f"{analyte} has {shown(unit)} for a unit; give a text such as 'ng/mL'")


@lru_cache(maxsize=1024)
def _half_step(places: str | None, power: str | None, ratio: Factor) -> float:
    last = int(power or 0) - len(places or "")
    return settle(float(f"5e{last - 1}"), ratio)


def _at_zero(
    analyte: str, given: object, *, bound: Bound, codes: tuple[str, ...]
) -> tuple[str, ...]:
    if bound == "<":
        _refuse(analyte, given, "is an empty interval; no result is below zero")
    if not _domain(analyte).zero:
        _refuse(analyte, given, f"is zero, which no {analyte} is; leave it out if it is missing")
    return codes if bound in _LOWER else (*codes, "zero-value")


def _at_maximum(analyte: str, given: object, *, limit: float, bound: Bound, unit: str) -> None:
    domain = _domain(analyte)
    if limit > domain.maximum or bound == ">":
        canonical = domain.units[0]
        hint = f"; is its unit {canonical!r}?" if unit != canonical else ""
        _refuse(
            analyte, given, f"is over {domain.maximum:g} {canonical}, where there is none{hint}"
        )
