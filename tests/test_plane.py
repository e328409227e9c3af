"""The pictures of the tables, beside the matrices of the evidence."""

import re
from dataclasses import replace
from itertools import chain

import pytest

from guideline_pages import anchor
from plane import (
    COLORS,
    Plane,
    after_safety,
    blocks,
    criterion,
    decided_by,
    others,
    patients_of,
    plane,
    svg,
)
from rlsiron.catalog import guideline_ids
from rlsiron.compiler import compile_table
from rlsiron.grammar import DISPOSITIONS, Limits
from rlsiron.guideline import Guideline, Population, load_guideline
from rlsiron.table import words_of

ORAL, IV, EITHER, NONE, BLOCK = DISPOSITIONS[:5]


def _population(id_: str, name: str) -> tuple[Guideline, Population]:
    guideline = load_guideline(id_)
    return guideline, next(one for one in guideline.populations if one.name == name)


def _plane(guideline: Guideline, population: Population) -> Plane:
    table = compile_table(guideline)
    return plane([table], patients_of(table, population))


def test_irlssg_adult_is_drawn_as_its_matrix_before_safety() -> None:
    guideline, adult = _population("irlssg-2018", "adult")
    drawn = _plane(guideline, adult)
    assert [band.limit for band in drawn.ferritin[:-1]] == ["≤ 75", "≤ 100", "< 300"]
    assert [band.limit for band in drawn.tsat[:-1]] == ["< 20", "< 45"]
    assert [[said.dispositions for said in row] for row in drawn.said(criterion)] == [
        [(ORAL,), (ORAL,), (BLOCK,)],
        [(IV,), (IV,), (BLOCK,)],
        [(IV, NONE), (NONE,), (BLOCK,)],
        [(BLOCK,), (BLOCK,), (BLOCK,)],
    ]


def test_aasm_adult_is_drawn_before_and_after_safety() -> None:
    guideline, adult = _population("aasm-2025", "adult")
    drawn = _plane(guideline, adult)
    assert [[said.dispositions for said in row] for row in drawn.said(criterion)] == [
        [(EITHER,), (EITHER,), (EITHER,)],
        [(IV, EITHER), (IV,), (IV,)],
        [(EITHER,), (NONE,), (NONE,)],
        [(EITHER,), (NONE,), (NONE,)],
    ]
    assert [[said.dispositions for said in row] for row in drawn.said(after_safety)] == [
        [(EITHER,), (EITHER,), (BLOCK,)],
        [(IV, EITHER), (IV,), (BLOCK,)],
        [(EITHER, NONE), (NONE,), (BLOCK,)],
        [(BLOCK,), (BLOCK,), (BLOCK,)],
    ]


def test_a_limit_that_is_a_single_value_is_a_band_of_its_own() -> None:
    guideline, adult = _population("mayo-2021", "adult")
    drawn = _plane(guideline, adult)
    assert [band.limit for band in drawn.ferritin[:-1]] == ["≤ 75", "< 100", "≤ 100", "< 300"]
    assert [band.is_point for band in drawn.ferritin] == [False, False, True, False, False]
    assert drawn.said(criterion)[2][0].dispositions == (IV, NONE)


def test_what_else_changes_the_picture_is_drawn_too() -> None:
    guideline, adult = _population("irlssg-2018", "adult")
    drawn = {name: other for name, words, other in others(compile_table(guideline), adult)}
    assert drawn["iv-reason"].said(criterion)[0][0].dispositions == (IV,)
    assert drawn["iv-reason"].said(criterion)[0][0].rules == ("IR-6",)


def test_a_cell_names_the_safety_rules_only_where_they_change_it() -> None:
    guideline, adult = _population("irlssg-2018", "adult")
    trimester = next(
        other
        for _, words, other in others(compile_table(guideline), adult)
        if words == {"trimester-1"}
    )
    said = trimester.said(after_safety)
    assert said[0][0] == ((ORAL,), ("IR-1",))  # SL4 stops IV, of which nothing is said here
    assert said[1][0] == ((BLOCK,), ("SL4",))


def test_a_cell_is_painted_in_the_color_of_each_of_its_dispositions() -> None:
    guideline, adult = _population("aasm-2025", "end-stage adult")
    drawn = _plane(guideline, adult)
    shown = svg(drawn, drawn.said(after_safety), anchor(guideline))
    cells = re.findall(r'data-said="(.*?)">(.*?)</a>', shown, re.DOTALL)
    assert {said for said, _ in cells} == {IV, f"{IV} {EITHER} {NONE}", BLOCK}
    for said, cell in cells:
        painted = set(re.findall(r'(?:fill|stroke)="(#.*?)"', cell))
        assert painted == {COLORS[one] for one in said.split()}


def test_a_picture_borrows_nothing_from_another_on_its_page() -> None:
    guideline, adult = _population("aasm-2025", "adult")
    drawn = _plane(guideline, adult)
    shown = svg(drawn, drawn.said(criterion), anchor(guideline))
    assert " id=" not in shown
    assert "url(" not in shown


def test_a_band_without_a_difference_is_joined_to_its_neighbor() -> None:
    guideline, adult = _population("aan-2016", "adult")
    table = compile_table(guideline)
    drawn = _plane(guideline, adult)
    assert len(table.edges("tsat")) > len(drawn.tsat) - 1 == 1


@pytest.mark.parametrize("id_", guideline_ids())
def test_every_disposition_of_a_table_is_on_a_plane(id_: str) -> None:
    guideline = load_guideline(id_)
    table = compile_table(guideline)
    for population in guideline.populations:
        own = {rule.id for rule in population.rules}
        mask = sum(1 << at for at, rule in enumerate(guideline.rules) if rule.id in own)
        cells = tuple(slice(axis.size) for axis in table.axes)  # without the unions
        here = (table.rules[cells] & mask) > 0
        said = {
            word
            for bits in (table.criterion, table.disposition)
            for one in set(bits[cells][here].tolist())
            for word in words_of(one)
        }
        drawn = _plane(guideline, population)
        assert decided_by(drawn) <= own
        pictures = [drawn, *(other for *_, other in others(table, population))]
        shown = "".join(
            svg(picture, picture.said(saying), anchor(guideline))
            for picture in pictures
            for saying in (criterion, after_safety)
        )
        assert said == set(" ".join(re.findall(r'data-said="(.*?)"', shown)).split())
        assert set().union(*map(decided_by, pictures)) == own


def test_blocks_cover_the_plane_once() -> None:
    cells = ["aab", "aab", "bab"]
    covered = [
        (row, column, block.held)
        for block in blocks(cells)
        for row in range(block.low, block.high)
        for column in range(block.left, block.right)
    ]
    whole = chain.from_iterable(
        ((row, column, held) for column, held in enumerate(line)) for row, line in enumerate(cells)
    )
    assert sorted(covered) == sorted(whole)


def test_every_disposition_has_a_color_of_its_own() -> None:
    assert tuple(COLORS) == DISPOSITIONS
    assert len(set(COLORS.values())) == len(DISPOSITIONS)


def test_a_population_is_drawn_of_those_whom_no_earlier_one_takes() -> None:
    guideline, adult = _population("aasm-2025", "adult")
    open_to_all = replace(adult, applies=Limits(()), name="rest")
    child = next(one for one in guideline.populations if one.name == "child")
    whole = replace(guideline, populations=(child, open_to_all))
    drawn = _plane(whole, open_to_all)
    assert decided_by(drawn) == {rule.id for rule in adult.rules}
