"""Where two guidelines part, cell by cell."""

import re
import tomllib
from itertools import pairwise, product
from typing import Any

import pytest

import rlsiron.difference
from rlsiron.catalog import Document
from rlsiron.compiler import compile_table
from rlsiron.difference import differences, extent
from rlsiron.errors import GuidelineError
from rlsiron.guideline import Guideline, load_guideline, parse_guideline, shipped
from rlsiron.table import NumericAxis, words_of


def version(id_: str, old: str, new: str) -> Guideline:
    """Return a guideline that ships with a part of its text replaced."""
    text = shipped(id_).document.text
    assert old in text
    text = text.replace(old, new, 1)
    return parse_guideline(Document("new.toml", text, tomllib.loads(text)))


@pytest.mark.parametrize("id_", ["aan-2016", "aasm-2025", "kdigo-2026"])
def test_a_guideline_does_not_differ_from_itself(id_: str) -> None:
    assert differences(id_, id_) == ()


def test_a_threshold_that_moved_differs_between_its_two_places() -> None:
    """AAN, 75 to 80: in (75, 80], and nowhere else."""
    found = differences("aan-2016", version("aan-2016", "<= 75 ug/L", "<= 80 ug/L"))
    assert {one.where[0] for one in found} == {"ferritin in (75, 80] ug/L"}
    assert {one.criterion for one in found} == {(("no-iron",), ("oral-iron",))}
    assert {one.possible for one in found} == {
        (("no-iron",), ("oral-iron",)),
        (("withhold-iron",), ("withhold-iron",)),
    }


def test_an_interval_has_no_hole() -> None:
    """Two new ranges with one between them that stays as it was."""
    new = '[{ ferritin = "<= 75 ug/L" }, { ferritin = ["> 80 ug/L", "<= 85 ug/L"] }, '
    new += '{ ferritin = ["> 95 ug/L", "<= 97 ug/L"] }]'
    found = differences(
        "aan-2016", version("aan-2016", 'when = { ferritin = "<= 75 ug/L" }', f"any = {new}")
    )
    assert {one.where[0] for one in found} == {
        "ferritin in (80, 85] ug/L",
        "ferritin in (95, 97] ug/L",
    }


def test_an_operator_that_changed_differs_at_one_point() -> None:
    """AASM children, < 50 to <= 50: at 50 only, and only in children."""
    found = differences("aasm-2025", version("aasm-2025", '"< 50 ug/L"', '"<= 50 ug/L"'))
    assert found
    for one in found:
        assert one.where[0] == "ferritin in [50, 50] ug/L"
        assert "age in [0, 18) years" in one.where


def test_a_tier_makes_a_difference_under_strict_alone() -> None:
    new = version("aan-2016", 'verified = "primary"', 'verified = "unverified"')
    assert differences("aan-2016", new) == ()
    assert {one.criterion for one in differences("aan-2016", new, strict=True)} == {
        (("oral-iron",), ("no-iron",))
    }


def test_two_that_differ_everywhere_say_so_of_one_region() -> None:
    def always(word: str) -> Guideline:
        text = (
            f'id = "{word}"\npurpose = "anemia"\nsource = "rlsiron"\nversion = "1"\n'
            'reviewed_by = []\n[[population]]\nname = "all"\napplies = {}\n'
            f'[[population.rule]]\nid = "A"\ndisposition = "{word}"\nverified = "primary"\n'
            'says = "a"\n'
        )
        return parse_guideline(Document("x.toml", text, tomllib.loads(text)))

    (one,) = differences(always("oral-iron"), always("iv-iron"))
    assert one == ((), (("oral-iron",), ("iv-iron",)), (("oral-iron",), ("iv-iron",)), 1)


PAIRS = [("aan-2016", "nice-cks"), ("irlssg-2018", "mayo-2021"), ("dgn-2022", "kdigo-2026"),
         ("aasm-2025", "picchietti-2015")]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_regions_hold_each_patient_for_whom_they_differ_and_no_other(
    one: str, other: str
) -> None:
    """By look-up of known patients, one in each cell of the two tables."""
    tables = [compile_table(load_guideline(id_)) for id_ in (one, other)]
    found = differences(one, other)
    values: dict[str, list[Any]] = {}
    for table in tables:
        for axis in table.axes:
            values.setdefault(axis.name, [])
    for name in values:
        edges = sorted({0.0, *(edge for table in tables for edge in table.edges(name))})
        axes: list[Any] = [axis for table in tables for axis in table.axes if axis.name == name]
        if isinstance(axes[0], NumericAxis):
            values[name] = [(edge, edge) for edge in edges]
        else:
            words = {word for axis in axes for part in axis.classes for word in part}
            values[name] = [frozenset({word}) for word in sorted(words)]
    tried = 0
    for at, chosen in enumerate(product(*values.values())):
        if at % 37:  # one in so many; with all axes moving
            continue
        known = dict(zip(values, chosen, strict=True))
        said = [table.look_up(table.box(known)) for table in tables]
        inside = [region for region in found if holds(region.where, known)]
        pair = tuple(cell.possible for cell in said), tuple(cell.criterion for cell in said)
        if pair[0][0] == pair[0][1] and pair[1][0] == pair[1][1]:
            assert not inside
        else:
            (region,) = inside
            assert (region.possible, region.criterion) == pair
            tried += 1
    assert tried > 20


def holds(where: tuple[str, ...], known: dict[str, Any]) -> bool:
    """Read a region as it is printed, and tell whether a patient stands in it."""
    for text in where:
        interval = re.fullmatch(r"(\S+) in ([\[(])(\S+), (\S+?)([\])])(?: \S+)?", text)
        if interval:
            name, opening, low, high, closing = interval.groups()
            at = known[name][0]
            above = float(low) <= at if opening == "[" else float(low) < at
            below = at <= float(high) if closing == "]" else at < float(high)
            if not (above and below):
                return False
        else:
            name, _, words = text.partition(" ")
            (word,) = known[name]
            if str(word) not in words.split(" or "):
                return False
    return True


def crp_limits(base: str, *limits: str) -> list[Guideline]:
    """Return a guideline with one CRP limit, and with another."""
    made = []
    for limit in limits:
        text = f'id = "ours"\nextends = "{base}"\nversion = "1"\n[parameters]\n'
        text += f'crp_limit = "{limit} mg/L"\n'
        made.append(parse_guideline(Document("ours.toml", text, tomllib.loads(text))))
    return made


@pytest.mark.parametrize("limits", [("5", "10"), ("10", "5"), ("8", "10")])
def test_no_patient_is_over_the_higher_limit_of_crp_and_not_the_lower(
    limits: tuple[str, ...],
) -> None:
    """MY-3: F over 100, TSAT under 20: open if inflamed. Between the limits by one of them only."""
    lower, higher = sorted(limits, key=float)
    name = {limit: f"inflamed (crp_limit {limit} mg/L)" for limit in limits} | {"5": "inflamed"}
    found = differences(*crp_limits("mayo-2021", *limits))
    assert found
    for one in found:
        assert f"{name[lower]} True" in one.where
        assert f"{name[higher]} False" in one.where
        open_, no = ("iv-iron", "no-iron"), ("no-iron",)
        assert one.criterion == ((open_, no) if limits[0] == lower else (no, open_))


def test_what_cannot_be_does_not_part_a_region() -> None:
    """Mayo and Picchietti: whoever failed on oral iron has a reason for IV."""
    found = differences("mayo-2021", "picchietti-2015")
    told = [set(one.where) for one in found]
    assert not any({"iv-reason False", "oral-iron-failed True"} <= where for where in told)
    assert any("oral-iron-failed True" in where for where in told)
    # 100 and over, pregnant: Mayo NONE or open, Picchietti NONE: whatever the two facts say
    same = [where for where in told if "tsat in [0, 20) %" in where and "inflamed True" in where]
    assert any(not any("iv-reason" in part for part in where) for where in same)


def test_the_cells_of_what_cannot_be_are_not_counted() -> None:
    """Of the four answers to two facts three are of a patient: by hand, cell by cell."""
    tables = [compile_table(shipped(id_)) for id_ in ("mayo-2021", "picchietti-2015")]
    axes = {axis.name: axis for table in tables for axis in table.axes}
    found = differences("mayo-2021", "picchietti-2015")
    values: dict[str, list[Any]] = {}
    for name in axes:
        edges = {0.0, *(edge for table in tables for edge in table.edges(name))}
        own: list[Any] = [axis for table in tables for axis in table.axes if axis.name == name]
        if isinstance(own[0], NumericAxis):
            values[name] = [(edge, edge) for edge in sorted(edges)]
        else:
            parts = [part & other for part in own[0].classes for other in own[-1].classes]
            values[name] = [frozenset({min(part)}) for part in parts if part]
    cells = 0
    for chosen in product(*values.values()):
        known = dict(zip(values, chosen, strict=True))
        if True in known["oral-iron-failed"] and True not in known["iv-reason"]:
            continue
        one, other = (table.look_up(table.box(known)) for table in tables)
        cells += (one.criterion, one.possible) != (other.criterion, other.possible)
    assert cells == sum(one.cells for one in found)


def test_where_two_differ_by_ferritin_and_tsat() -> None:
    """AAN, 75 to 80, and 80 to 85 with a low TSAT: two boxes that meet."""
    new = 'any = [{ ferritin = "<= 80 ug/L" }, { ferritin = "<= 85 ug/L", tsat = "< 20 %" }]'
    old = 'when = { ferritin = "<= 75 ug/L" }'
    assert extent("aan-2016", version("aan-2016", old, new)) == (
        ("ferritin in (75, 80] ug/L", "tsat in [0, 45) %"),
        ("ferritin in (80, 85] ug/L", "tsat in [0, 20) %"),
    )
    assert extent("aan-2016", "aan-2016") == ()


def test_the_cells_of_the_regions_add_up() -> None:
    """Each cell that differs is in one region."""
    found = differences("aan-2016", "nice-cks")
    # F in [50, 75) and F = 75, where NICE says no and AAN oral: two cells; adults, confirmed RLS;
    # TSAT 4, pregnancy 3, kidney 3, two facts
    assert sum(one.cells for one in found) == 2 * 4 * 3 * 3 * 2**2


def test_two_that_together_cut_too_finely_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rlsiron.difference, "MOST_SLOTS", 100)
    with pytest.raises(GuidelineError, match="cut patients into 4032 cases; 100 at most"):
        differences("aan-2016", "nice-cks")


def test_words_are_those_of_the_vocabulary() -> None:
    for one in differences("aasm-2025", "mayo-2021"):
        for words in (*one.possible, *one.criterion):
            assert words
            assert words == words_of(sum(1 << at for at in places(words)))


def places(words: tuple[str, ...]) -> list[int]:
    order = ["oral-iron", "iv-iron", "oral-or-iv-iron", "no-iron", "withhold-iron", "not-covered"]
    found = [order.index(word) for word in words]
    assert all(one < other for one, other in pairwise(found))
    return found
