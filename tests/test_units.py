"""Units: what laboratories write, and what it is in the canonical unit."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsiron import units
from rlsiron.errors import ReadingError, UnitError, shown
from rlsiron.units import (
    Factor,
    Window,
    analyte,
    analytes,
    convert,
    factor,
    from_quantity,
    is_quantity,
    settle,
    to_quantity,
    unit_code,
)

EVERY_UNIT = [(known.name, code) for known in analytes().values() for code in known.units]
REGISTRY: pint.UnitRegistry[Any] = pint.UnitRegistry()

# What one of the unit is in the canonical unit, by hand: evidence/units.md §2.
FACTORS = {
    ("ferritin", "ng/mL"): "1",
    ("ferritin", "ug/L"): "1",
    ("ferritin", "ug/dL"): "10",
    ("ferritin", "pmol/L"): "445/1000",
    ("tsat", "%"): "1",
    ("tsat", "1"): "100",
    ("iron", "ug/dL"): "1",
    ("iron", "ug/L"): "1/10",
    ("iron", "umol/L"): "5.5845",
    ("tibc", "ug/dL"): "1",
    ("tibc", "ug/L"): "1/10",
    ("tibc", "umol/L"): "5.5845",
    ("uibc", "ug/dL"): "1",
    ("uibc", "ug/L"): "1/10",
    ("uibc", "umol/L"): "5.5845",
    ("transferrin", "g/L"): "1",
    ("transferrin", "mg/dL"): "1/100",
    ("transferrin", "mg/L"): "1/1000",
    ("transferrin", "umol/L"): "79570/1000000",
    ("crp", "mg/L"): "1",
    ("crp", "mg/dL"): "10",
    ("crp", "ug/mL"): "1",
    ("crp", "nmol/L"): "105/1000",
    ("hemoglobin", "g/L"): "1",
    ("hemoglobin", "g/dL"): "10",
    ("hemoglobin", "mmol/L"): "16.1145",
}


def test_the_units_of_every_analyte_are_the_ones_of_the_evidence() -> None:
    assert set(EVERY_UNIT) == set(FACTORS)


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [(*unit, text) for unit, text in FACTORS.items()],
    ids=[f"{name} in {code}" for name, code in FACTORS],
)
def test_a_factor_is_exact(name: str, code: str, expected: str) -> None:
    assert Fraction(*factor(name, code)) == Fraction(expected)


@pytest.mark.parametrize(
    ("name", "value", "source", "expected", "target"),
    [
        ("iron", 57, "ug/dL", 10.2068, "umol/L"),
        ("iron", 165, "ug/100mL", 29.5, "umol/L"),
        ("ferritin", 75, "ng/mL", 168.539, "pmol/L"),
        ("ferritin", 1, "ng/mL", 2.2472, "pmol/L"),
        ("transferrin", 2.4, "g/L", 240, "mg/dL"),
        ("transferrin", 2.4, "g/L", 30.162, "umol/L"),
        ("tibc", 60.32, "umol/L", 336.9, "ug/dL"),
        ("hemoglobin", 13.5, "g/dL", 135, "g/L"),
        ("hemoglobin", 13.5, "g/dL", 8.378, "mmol/L"),
        ("crp", 0.5, "mg/dL", 5, "mg/L"),
        ("tsat", 0.29, "1", 29, "%"),
    ],
)
def test_a_conversion_gives_the_printed_value(
    name: str, value: float, source: str, expected: float, target: str
) -> None:
    places = len(f"{expected}".partition(".")[2])
    assert round(convert(name, value, source, target), places) == expected


def test_iron_and_binding_capacity_in_different_units_meet_in_the_canonical_one() -> None:
    tibc = convert("tibc", 60, "umol/L", "ug/dL")
    assert round(100 * 40 / tibc, 1) == 11.9


@pytest.mark.parametrize(
    ("value", "code"), [(75, "ng/mL"), (75, "ug/L"), (7.5, "ug/dL"), (168.539325843, "pmol/L")]
)
def test_a_ferritin_of_75_is_75_in_every_unit(value: float, code: str) -> None:
    assert settle(value, factor("ferritin", code)) == 75.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1 + 0.2, 0.3), (74.99999999999999, 75.0), (0.0, 0.0), (5.4e-79, 0.0), (2.5e-9, 2e-9)],
)
def test_settling_takes_the_nearest_step_and_of_two_the_even_one(
    value: float, expected: float
) -> None:
    assert settle(value) == expected


def test_what_is_not_finite_stays_so() -> None:
    assert settle(1e300, Factor(10**9, 1)) == inf
    assert settle(np.array([1e300])).tolist() == [inf]  # and warns of nothing
    assert settle(-inf) == -inf
    assert isnan(settle(nan))


@given(st.floats(allow_nan=False), st.sampled_from(EVERY_UNIT))
def test_a_number_and_an_array_settle_alike(value: float, unit: tuple[str, str]) -> None:
    column = settle(np.array([value]), factor(*unit))
    assert settle(value, factor(*unit)) == column[0]


@given(st.floats(min_value=0, max_value=units.LARGEST))
def test_what_is_settled_stays_where_it_is(value: float) -> None:
    assert settle(settle(value)) == settle(value)


@given(st.integers(1, 10**9).map(lambda n: n / 1000), st.sampled_from(EVERY_UNIT))
def test_there_and_back_is_the_same(value: float, unit: tuple[str, str]) -> None:
    name, code = unit
    canonical = analyte(name).unit
    there = convert(name, value, canonical, code)
    # half a step of the grid in the other unit, and half a step in this one
    error = 0.5e-9 * (Fraction(*factor(name, code)) + 1) + Fraction(value) / 10**15
    assert abs(Fraction(convert(name, there, code, canonical)) - Fraction(value)) <= error


@given(st.data(), st.sampled_from(EVERY_UNIT))
def test_a_larger_value_is_never_the_smaller_in_another_unit(
    data: st.DataObject, unit: tuple[str, str]
) -> None:
    values = st.floats(min_value=0, max_value=units.LARGEST)
    low, high = sorted((data.draw(values), data.draw(values)))
    assert settle(low, factor(*unit)) <= settle(high, factor(*unit))


SPELLINGS = {
    "ug/L": (
        "µg/L",  # U+00B5
        "μg/L",  # U+03BC
        "ug/l",
        "UG/L",
        "mcg/L",
        "MCG/L",
        "µg\u2215L",
        "µg\u2044L",
        " µg / L ",
        "µg\u00a0/\u202fL",
        "µg\u200b/L\ufeff",
        "µg per L",
        "ug per litre",
        "microgram / liter",
        "micrograms per liter",
        "Âµg/L",
        "Î¼g/L",
        "æg/L",
        "ìg/L",
        "&micro;g/L",
        r"\XB5\g/L",
        r"\Z03BC\g/L",
        "мкг/л",
        "ug/l^^L",
        "ug/L{ferritin}",
        "ugm/L",
    ),
    "ug/dL": ("µg/100 mL", "ug/100ml", "㎍/㎗", "ug%", "mcg%", "UG/DL", "µg%", "mcg per 100 mL"),
    "umol/L": (
        "µmol/L",
        "umol/L^umol/L",
        "mc mol/L",
        "мкмоль/л",
        "µmol/l",
        "UMOL/L",
        "æmol/L",
        "ìmol/L",
    ),
    "ng/mL": ("ng/ml", "NG/ML", "нг/мл", "nanogram / milliliter"),
    "pmol/L": ("pmol/l", "PMOL/L", "пмоль/л"),
    "mg/L": ("MG/L", "mg/l", "мг/л"),
    "mg/dL": ("mg%", "mg/100 mL", "MG/DL", "мг/дл"),
    "g/dL": ("g%", "gm/dL", "G/DL", "\u0433/дл", "gm%", "g/100mL"),
    "g/L": ("g/l", "G/L", "\u0433/л", "gm/L", "grams per litre"),
    "%": ("%", "\uff05", "% sat", "%SAT", "%{saturation}", "percent", "Percent", "pct", "PCT"),
    "1": ("1", "{ratio}", "{fraction}", "ratio", "fraction", "osuus", "L/L", "mol/mol"),
}
REPORTED_IN = {
    "ug/L": "ferritin",
    "ug/dL": "iron",
    "umol/L": "iron",
    "ng/mL": "ferritin",
    "pmol/L": "ferritin",
    "mg/L": "crp",
    "mg/dL": "transferrin",
    "g/dL": "hemoglobin",
    "g/L": "transferrin",
    "%": "tsat",
    "1": "tsat",
}


@pytest.mark.parametrize(
    ("spelling", "code"),
    [(spelling, code) for code, several in SPELLINGS.items() for spelling in several],
    ids=[f"{s!a} is {code}" for code, several in SPELLINGS.items() for s in several],
)
def test_a_spelling_is_understood(spelling: str, code: str) -> None:
    assert unit_code(REPORTED_IN[code], spelling) == code


@pytest.mark.parametrize(("name", "code"), EVERY_UNIT)
def test_a_code_is_its_own_spelling(name: str, code: str) -> None:
    assert unit_code(name, code) == code
    assert unit_code(name, code.lower()) == code
    assert unit_code(name, code.upper()) == code


@pytest.mark.parametrize(
    ("name", "spelling", "expected"),
    [
        ("ferritin", "?g/L", "ferritin has the unit '?g/L', a lost micro sign; write 'ug/L'"),
        ("ferritin", "\ufffdg/L", "ferritin has the unit '�g/L', a lost micro sign; write 'ug/L'"),
        ("iron", "ymol/l", "iron has the unit 'ymol/l', a lost micro sign; write 'umol/L'"),
        (
            "ferritin",
            "ymol/l",
            "ferritin is not reported in 'ymol/l'; write one of ng/mL, ug/L, ug/dL, pmol/L",
        ),
        (
            "ferritin",
            "mmol/L",
            "ferritin is not reported in 'mmol/L'; write one of ng/mL, ug/L, ug/dL, pmol/L",
        ),
        ("ferritin", "g/L", "ferritin is not reported in 'g/L'; did you mean 'ug/L'?"),
        ("tsat", "g/L", "tsat is not reported in 'g/L'; write one of %, 1"),
    ],
)
def test_a_refusal_shows_the_way_out(name: str, spelling: str, expected: str) -> None:
    with pytest.raises(UnitError) as fault:
        unit_code(name, spelling)
    assert str(fault.value) == expected


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        *(("ferritin", unit) for unit in ("IU/L", "%", "", " ", "{}", "ng/dL", "ng/L", "mg/L")),
        *(
            (name, unit)
            for name in ("ferritin", "iron", "tibc", "uibc")
            for unit in ("g/L", "G/L", "g/dL", "mol/L", "?g/dL")
        ),
        ("iron", "mg/L"),
        ("iron", "mg/dL"),
        ("crp", "G/L"),
        ("hemoglobin", "G/l"),
        ("transferrin", "G/l"),
        ("tsat", "ug/L"),
        ("ferritin", "ng/mL" + " " * 200),
        ("ferritin", "x" * 1_000_000),
        ("ferritin", "^ug/L"),
        ("ferritin", "ng/mL ng/mL"),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_a_unit_in_which_it_is_not_reported_is_refused(name: str, spelling: str) -> None:
    with pytest.raises(UnitError, match="; "):
        unit_code(name, spelling)


def test_a_unit_of_100_characters_is_not_too_long() -> None:
    assert unit_code("ferritin", "ng/mL" + " " * 95) == "ng/mL"
    with pytest.raises(UnitError):
        unit_code("ferritin", "ng/mL" + " " * 96)


def test_a_unit_that_is_no_text_is_refused() -> None:
    with pytest.raises(UnitError, match="ferritin is not reported in 1; write one of"):
        unit_code("ferritin", 1)


@given(st.sampled_from(list(analytes())), st.text())
def test_any_text_is_a_unit_or_a_unit_error(name: str, spelling: str) -> None:
    with suppress(UnitError):
        assert unit_code(name, spelling) in analyte(name).units


@given(st.sampled_from(EVERY_UNIT), st.text(alphabet=" \t\u00a0\u200b\u202f"))
def test_space_around_a_unit_means_nothing(unit: tuple[str, str], space: str) -> None:
    name, code = unit
    assert unit_code(name, f"{space[:20]}{code}{space[:20]}") == code


@pytest.mark.parametrize("name", ["feritin", "", 1, ["ferritin"], None, "x" * 1_000_000])
def test_an_unknown_analyte_is_refused(name: str) -> None:
    with pytest.raises(UnitError, match="unknown analyte"):
        analyte(name)


def test_a_misspelt_analyte_is_shown_with_what_was_meant() -> None:
    with pytest.raises(UnitError) as fault:
        analyte("feritin")
    assert str(fault.value) == "unknown analyte 'feritin'; did you mean 'ferritin'?"


def test_a_factor_takes_a_spelling_and_refuses_another_unit() -> None:
    assert factor("ferritin", "µg/dl") == Factor(10, 1)
    with pytest.raises(UnitError, match="not reported in 'mmol/L'"):
        factor("ferritin", "mmol/L")


def test_an_analyte_carries_what_the_evidence_says() -> None:
    ferritin = analyte("ferritin")
    assert ferritin.molar_mass == 445_000
    assert ferritin.plausible == Window(1, 100_000, "ug/L")
    assert ferritin.variation is not None
    assert (ferritin.variation.percent, ferritin.variation.source) == (14.5, "pilon-1981")
    assert ferritin.title == "Ferritin"
    assert ferritin.zero is False
    tsat = analyte("tsat")
    assert (tsat.molar_mass, tsat.convention, tsat.grade) == (None, "", "")
    assert [name for name, known in analytes().items() if known.zero] == ["tsat", "uibc", "crp"]
    assert [name for name, known in analytes().items() if known.maximum] == ["tsat"]


def test_every_molar_mass_names_its_convention_and_grade() -> None:
    for known in analytes().values():
        assert bool(known.molar_mass) == bool(known.convention) == (known.grade in set("ABC"))
        assert bool(known.molar_mass) == any("mol" in code for code in known.units)


def test_no_code_means_two_analytes() -> None:
    for codes in ("loinc", "omop"):
        every = [code for known in analytes().values() for code in getattr(known, codes)]
        assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("name", "quantity", "expected"),
    [
        ("ferritin", REGISTRY.Quantity(62, "ng/mL"), (62.0, "ng/mL")),
        ("ferritin", REGISTRY.Quantity(62.5, "µg/L"), (62.5, "ug/L")),
        ("ferritin", REGISTRY.Quantity(62, "pg/uL"), (62.0, "ng/mL")),
        ("ferritin", pint.Quantity(168, "pmol/L"), (168.0, "pmol/L")),
        ("tsat", REGISTRY.Quantity(0.29, ""), (0.29, "1")),
        ("tsat", REGISTRY.Quantity(29, "%"), (29.0, "%")),
        ("crp", pint.UnitRegistry(non_int_type=Decimal).Quantity(Decimal("0.5"), "mg/dL"),
         (0.5, "mg/dL")),
        ("crp", REGISTRY.Quantity(Fraction(1, 4), "mg/dL"), (0.25, "mg/dL")),
        ("ferritin", REGISTRY.Quantity(np.float32(0.1), "ng/mL"), (0.1, "ng/mL")),
    ],
    ids=str,
)  # fmt: skip
def test_a_quantity_of_any_registry_is_taken(
    name: str, quantity: object, expected: tuple[float, str]
) -> None:
    assert is_quantity(quantity)
    assert from_quantity(name, quantity) == expected


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("ferritin", "g/L"),
        ("ferritin", "pound/L"),
        ("ferritin", "ng"),
        ("ferritin", "ng**2/mL**2"),
        ("ferritin", "%"),
        ("ferritin", ""),
        ("iron", "pmol/L"),
    ],
)
def test_a_quantity_in_another_unit_is_to_be_converted_first(name: str, unit: str) -> None:
    first = analyte(name).units[0]
    with pytest.raises(UnitError, match=rf"convert it first: \.to\('{first}'\)"):
        from_quantity(name, REGISTRY.Quantity(5, unit))


@pytest.mark.parametrize("magnitude", [np.array([1.0, 2.0]), Fraction(10**400)])
def test_a_quantity_that_is_not_one_number_is_refused(magnitude: object) -> None:
    with pytest.raises(ReadingError, match="is not one number") as fault:
        from_quantity("ferritin", REGISTRY.Quantity(magnitude, "ng/mL"))
    assert str(fault.value).startswith(f"ferritin {shown(magnitude)} ")


def test_a_quantity_is_refused_with_its_unit() -> None:
    with pytest.raises(UnitError, match=r"^ferritin is not reported in 'gram / liter'; convert"):
        from_quantity("ferritin", REGISTRY.Quantity(5, "g/L"))


def test_what_is_no_quantity_is_none() -> None:
    assert not is_quantity(62)
    assert not is_quantity("62 ng/mL")


@pytest.mark.parametrize(("name", "code"), EVERY_UNIT)
def test_a_quantity_goes_out_and_comes_back(name: str, code: str) -> None:
    quantity = to_quantity(name, 50.0, code)
    value, unit = from_quantity(name, quantity)
    assert unit == code
    assert value == convert(name, 50.0, analyte(name).unit, code)


def test_a_quantity_goes_out_in_the_canonical_unit_by_default() -> None:
    quantity = to_quantity("tsat", 20)
    assert quantity == pint.Quantity(20.0, "percent")
    assert isinstance(quantity, pint.Quantity)


class _Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


def test_a_value_is_shown_short_whatever_it_is() -> None:
    assert shown("62") == "'62'"
    assert len(shown("x" * 1_000_000)) == 60
    assert shown("x" * 1_000_000).endswith("...")
    assert len(shown(list(range(1_000)))) == 60
    assert shown(10**5_000) == "<int>"
    assert shown(_Unshowable()) == "<_Unshowable>"


def test_threads_that_start_together_get_the_same_factors() -> None:
    caches = (units._registry, units._factors, units._code_of_items, unit_code)  # noqa: SLF001

    def use(turn: int) -> list[object]:
        name, code = EVERY_UNIT[turn % len(EVERY_UNIT)]
        quantity = REGISTRY.Quantity(turn, "ng/mL")
        return [factor(name, code), unit_code(name, code), from_quantity("ferritin", quantity)]

    expected = [use(turn) for turn in range(200)]
    for _ in range(5):
        for cached in caches:
            cached.cache_clear()
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(use, range(200))) == expected


def test_importing_the_reader_imports_neither_pint_numpy_nor_pandas() -> None:
    script = (
        "import sys, rlsiron, rlsiron.units, rlsiron.reading\n"
        "print(sorted({'pint', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_reading_a_text_without_pint_knows_no_quantity() -> None:
    script = "import rlsiron.units as units; print(units.is_quantity(62))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


@pytest.fixture(scope="module")
def ucum() -> Any:  # noqa: ANN401 - ucumvert has no types
    ucumvert = pytest.importorskip("ucumvert", reason="ucumvert is not installed")
    return ucumvert.PintUcumRegistry()


@pytest.mark.parametrize(("name", "code"), EVERY_UNIT)
def test_every_code_is_ucum_and_converts_as_ucum_says(ucum: Any, name: str, code: str) -> None:  # noqa: ANN401
    amount = ucum.Quantity(1.0, ucum.from_ucum(code).units)
    canonical = ucum.from_ucum(analyte(name).unit).units
    if not amount.is_compatible_with(canonical):
        amount = amount * ucum.Quantity(float(analyte(name).molar_mass or 0), "g/mol")
    assert amount.to(canonical).magnitude == pytest.approx(Fraction(*factor(name, code)))
