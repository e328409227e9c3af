"""Units: a spelling becomes a code, and a code an exact factor. Only this module knows pint."""

import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from math import inf
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from rlsiron.catalog import document, text_of
from rlsiron.errors import ReadingError, UnitError, did_you_mean, shown

if TYPE_CHECKING:
    import numpy as np
    import pint
    from numpy.typing import NDArray

GRID = 1e9  # steps of the grid in one canonical unit
LARGEST = 5e6  # canonical units; beyond it the grid outgrows a float, and nothing is a measurement
LONGEST = 100  # characters of a unit
_ANNOTATION = re.compile(r"\{[ -z|~]*\}")
_REGISTRY = Lock()


class Factor(NamedTuple):
    """An exact ratio between two units."""

    numerator: int
    denominator: int


_SAME = Factor(1, 1)


class Limit(NamedTuple):
    """A value with its unit."""

    value: float
    unit: str


class Window(NamedTuple):
    """The values that are plausible, both ends among them, with their unit."""

    low: float
    high: float
    unit: str


class Variation(NamedTuple):
    """The within-person coefficient of variation [%], and how well it is known."""

    percent: float
    source: str
    verified: str


@dataclass(frozen=True, slots=True)
class Analyte:
    """What is measured, and how it is reported.

    Attributes
    ----------
    name, title
        The word for it in the library, and in print.
    unit
        Code of the canonical unit, in which results are kept.
    units
        Codes of the units in which it may be reported, the commonest first.
    molar_mass, convention, grade
        Mass of a mole [g/mol], which mass that is, and how well it is attested (A, B, C).
    zero
        Whether zero is a value.
    maximum
        The value above which there is none.
    plausible
        The values outside which a result is flagged.
    variation
        The within-person variation.
    loinc, omop
        LOINC codes and OMOP concepts that mean this analyte.
    """

    name: str
    title: str
    unit: str
    units: tuple[str, ...]
    molar_mass: Fraction | None
    convention: str
    grade: str
    zero: bool
    maximum: Limit | None
    plausible: Window | None
    variation: Variation | None
    loinc: tuple[str, ...]
    omop: tuple[int, ...]


@cache
def analytes() -> Mapping[str, Analyte]:
    """Return every analyte by its name.

    Examples
    --------
    >>> ", ".join(analytes())
    'ferritin, tsat, iron, tibc, uibc, transferrin, crp, hemoglobin'
    """
    tables = document("analytes.toml").data["analyte"]
    return MappingProxyType({name: _analyte(name, table) for name, table in tables.items()})


def _analyte(name: str, table: dict[str, Any]) -> Analyte:
    return Analyte(
        name=name,
        title=table["title"],
        unit=table["unit"],
        units=tuple(table["units"]),
        molar_mass=Fraction(table["molar_mass"]) if "molar_mass" in table else None,
        convention=table.get("convention", ""),
        grade=table.get("grade", ""),
        zero=table.get("zero", False),
        maximum=Limit(**table["maximum"]) if "maximum" in table else None,
        plausible=Window(**table["plausible"]) if "plausible" in table else None,
        variation=Variation(**table["variation"]) if "variation" in table else None,
        loinc=tuple(table["loinc"]),
        omop=tuple(table["omop"]),
    )


def analyte(name: str) -> Analyte:
    """Return what is known of an analyte.

    Raises
    ------
    UnitError
        If there is no analyte of that name.

    Examples
    --------
    >>> analyte("ferritin").units
    ('ng/mL', 'ug/L', 'ug/dL', 'pmol/L')
    >>> analyte("feritin")
    Traceback (most recent call last):
    ...
    rlsiron.errors.UnitError: unknown analyte 'feritin'; did you mean 'ferritin'?
    """
    try:
        return analytes()[name]
    except (KeyError, TypeError):
        hint = did_you_mean(shown(name), analytes())
        raise UnitError(f"unknown analyte {shown(name)}{hint}") from None


@overload
def settle(value: float, factor: Factor = ...) -> float: ...
@overload
def settle(value: "NDArray[np.float64]", factor: Factor = ...) -> "NDArray[np.float64]": ...
def settle(
    value: "float | NDArray[np.float64]", factor: Factor = _SAME
) -> "float | NDArray[np.float64]":
    """Return a value in another unit, on the grid of 10⁻⁹ of that unit.

    Parameters
    ----------
    value
        A number, or an array of 64-bit floats: one formula for both.
    factor
        What one unit of the value is in the other unit.

    Returns
    -------
    float or array
        The nearest step of the grid, a half to the even one; what is infinite stays so.

    Examples
    --------
    >>> settle(0.1 + 0.2)
    0.3
    >>> settle(168.539325843, factor("ferritin", "pmol/L"))
    75.0
    """
    if not isinstance(value, float | int):
        import numpy as np

        with np.errstate(over="ignore"):  # as a float, silent where it becomes infinite
            return _settled(value, factor)
    return _settled(value, factor)


def _settled(value: "float | NDArray[np.float64]", factor: Factor) -> "float | NDArray[np.float64]":
    if factor == _SAME:
        grid = value * GRID
    else:
        grid = value * factor.numerator
        grid /= factor.denominator
        grid *= GRID
    if isinstance(grid, float):
        return round(grid) / GRID if -inf < grid < inf else grid
    grid.round(out=grid)
    grid /= GRID
    return grid


@cache
def _registry() -> "pint.UnitRegistry[Any]":
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Fraction)
    registry.load_definitions(text_of("units.txt").splitlines())
    return registry


@cache
def _factors() -> dict[tuple[str, str], Factor]:
    with _REGISTRY:
        return {
            (known.name, code): _compiled(known, code)
            for known in analytes().values()
            for code in known.units
        }


def _compiled(known: Analyte, code: str) -> Factor:
    registry = _registry()
    amount = registry.Quantity(Fraction(1), code)
    if known.molar_mass and not amount.is_compatible_with(known.unit):
        amount = amount * registry.Quantity(known.molar_mass, "g/mol")
    return Factor(*Fraction(amount.m_as(known.unit)).as_integer_ratio())


def factor(analyte: str, code: str) -> Factor:
    """Return what one of a unit is in the analyte's canonical unit, exactly.

    Raises
    ------
    UnitError
        If the analyte is unknown, or not reported in that unit.

    Examples
    --------
    >>> factor("ferritin", "pmol/L")
    Factor(numerator=89, denominator=200)
    """
    found = _factors().get((analyte, code))
    return found or _factors()[analyte, unit_code(analyte, code)]


def convert(analyte: str, value: float, source: str, target: str) -> float:
    """Return a value in another unit of its analyte, on the grid of 10⁻⁹.

    Raises
    ------
    UnitError
        If the analyte is unknown, or not reported in one of the units.

    Examples
    --------
    >>> convert("ferritin", 75, "ng/mL", "pmol/L")
    168.539325843
    """
    ratio = Fraction(*factor(analyte, source)) / Fraction(*factor(analyte, target))
    return settle(float(value), Factor(*ratio.as_integer_ratio()))


@cache
def spellings() -> Mapping[str, Any]:
    """Return the tables of what laboratories write."""
    return MappingProxyType(document("spellings.toml").data)


def _folded(spelling: str) -> str:
    for old, new in spellings()["fold"]["raw"]:
        spelling = spelling.replace(old, new)
    spelling = " ".join(unicodedata.normalize("NFKC", spelling).casefold().split())
    for old, new in spellings()["fold"]["folded"]:
        spelling = spelling.replace(old, new)
    return spelling


@lru_cache(maxsize=1024)
def unit_code(analyte: str, spelling: str) -> str:
    """Return the code of the unit that a laboratory wrote.

    Raises
    ------
    UnitError
        If the analyte is unknown, or is not reported in such a unit.

    Examples
    --------
    >>> unit_code("ferritin", "mcg/L")
    'ug/L'
    >>> unit_code("ferritin", "?g/L")
    Traceback (most recent call last):
    ...
    rlsiron.errors.UnitError: ferritin has the unit '?g/L', a lost micro sign; write 'ug/L'
    """
    return _unit_code(_find(analyte), spelling)


_find = analyte  # the parameters of that name hide the function


def _unit_code(known: Analyte, spelling: str) -> str:
    folded = ""
    if isinstance(spelling, str) and len(spelling) <= LONGEST:
        # HL7 v2 joins identifier, text and system by ^
        written = spelling.partition("^")[0].strip()
        if written not in spellings()["refused"]["as_written"]:
            codes: dict[str, str] = spellings()["units"]
            folded = _folded(written)
            code = codes.get(folded) or codes.get(_ANNOTATION.sub("", folded), "")
            if code in known.units:
                return code
    raise UnitError(_refusal(known, shown(spelling), folded))


def _refusal(known: Analyte, spelling: str, folded: str) -> str:
    if folded.startswith(tuple(spellings()["refused"]["lost_micro"])):
        code = spellings()["units"].get(f"u{folded[1:]}")
        if code in known.units:
            return f"{known.name} has the unit {spelling}, a lost micro sign; write {code!r}"
    meant = spellings()["meant"].get(known.name, {}).get(folded)
    hint = f"did you mean {meant!r}?" if meant else f"write one of {', '.join(known.units)}"
    return f"{known.name} is not reported in {spelling}; {hint}"


def is_quantity(given: object) -> bool:
    """Return whether a value is a pint quantity; if pint was never imported, none is."""
    return isinstance(given, getattr(sys.modules.get("pint"), "Quantity", ()))


def from_quantity(analyte: str, quantity: Any) -> tuple[float, str]:  # noqa: ANN401 - any registry's
    """Return the number and the unit code of a pint quantity of any registry.

    Raises
    ------
    UnitError
        If the analyte is unknown, or the unit is none in which it is reported.
    ReadingError
        If the magnitude is not one number.

    Examples
    --------
    >>> import pint
    >>> from_quantity("iron", pint.Quantity(10.5, "µmol/L"))
    (10.5, 'umol/L')
    """
    known = _find(analyte)
    code = _code_of_items(analyte, tuple(quantity.unit_items()))
    if not code:
        given = shown(str(quantity.units))
        raise UnitError(
            f"{analyte} is not reported in {given}; convert it first: .to({known.units[0]!r})"
        )
    magnitude = quantity.magnitude
    try:
        # a 32-bit float counts as its shortest text
        number = float(magnitude if isinstance(magnitude, Fraction) else str(magnitude))
    except (ValueError, OverflowError):
        raise ReadingError(f"{analyte} {shown(magnitude)} is not one number") from None
    return number, code


@lru_cache(maxsize=1024)
def _code_of_items(analyte: str, items: tuple[tuple[str, float], ...]) -> str:
    import pint

    if any(power not in {1, -1} for _, power in items):
        return ""
    with _REGISTRY:
        registry = _registry()
        unit = registry.Unit(registry.UnitsContainer(dict(items)))
        try:
            root = registry.get_root_units(unit)
        except pint.PintError:
            return ""
        units = {code: registry.Unit(code) for code in _find(analyte).units}
        equal = [code for code in units if registry.get_root_units(units[code]) == root]
    return next((code for code in equal if units[code] == unit), equal[0] if equal else "")


def to_quantity(analyte: str, value: float, code: str | None = None) -> "pint.Quantity[Any]":
    """Return a canonical value as a quantity of pint's application registry.

    Parameters
    ----------
    analyte, value
        What was measured, and its value in the canonical unit.
    code
        The unit of the quantity; by default the canonical one.

    Raises
    ------
    UnitError
        If the analyte is unknown, or not reported in that unit.

    Examples
    --------
    >>> print(to_quantity("ferritin", 75, "ng/mL"))
    75.0 nanogram / milliliter
    """
    import pint

    known = _find(analyte)
    code = known.unit if code is None else unit_code(analyte, code)
    number = convert(analyte, value, known.unit, code)
    return pint.Quantity(number, code)  # of the application registry
