"""The board: what it keeps, and that it answers alike whatever it was asked before."""

from math import inf, nextafter

import pytest

import rlsiron.board
from rlsiron.board import Board
from rlsiron.compiler import compile_table
from rlsiron.guideline import shipped
from rlsiron.interpretation import board_of, examine
from test_table import known

KNOWN = known(**dict.fromkeys(("iv-reason", "inflamed", "earlier-iv"), frozenset({False})))


def test_a_board_knows_where_an_answer_may_change() -> None:
    """AASM and the layer cut TSAT at 20, 40 and 45; PA-6 spans 28 % of each to either side."""
    board = Board([compile_table(shipped("aasm-2025"))])
    assert board.cuts("tsat") == (20.0, 40.0, 45.0)
    assert board.fine_cuts("tsat") == (
        *(14.4, 20.0, nextafter(25.6, inf), 28.8, 32.4, 40.0, 45.0),
        *(nextafter(51.2, inf), nextafter(57.6, inf)),
    )


def test_a_board_keeps_what_is_said_by_its_key() -> None:
    board = Board([])
    assert board.remember("one", 1) == 1
    assert board.remember("two", 2) == 2
    assert board.remembered == {"one": 1, "two": 2}


def test_a_board_forgets_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers the same before and after."""
    monkeypatch.setattr(rlsiron.board, "_REMEMBERED", 1)
    board = Board([compile_table(shipped("aan-2016"))])
    low, high = {**KNOWN, "ferritin": (62.0, 62.0)}, {**KNOWN, "ferritin": (90.0, 90.0)}
    for _ in range(3):
        assert board.verdicts(low)[0].cell.possible == ("oral-iron",)
        assert board.verdicts(high)[0].cell.possible == ("no-iron",)


def test_patients_of_one_kind_share_a_verdict() -> None:
    """Found by the cells alone."""
    board = Board([compile_table(shipped("aan-2016"))])
    first = board.verdicts(KNOWN)
    assert board.verdicts({**KNOWN, "ferritin": (61.0, 61.0)}) is first
    assert board.verdicts({**KNOWN, "ferritin": (90.0, 90.0)}) is not first


def test_an_adolescents_answer_in_the_tables_for_adults_says_what_would_settle_it() -> None:
    """IV iron of an unknown date may hide the results: the date of the draw would tell."""
    found = examine(
        board_of("aasm-2025", strict=False),
        {"ferritin": "62 ng/mL", "tsat": "30 %"},
        patient={"age": 15, "last_iv_iron": "2026-01-01"},
        draw={},
        decimal=".",
        errors="raise",
    ).found
    (young,), (grown,) = found.verdicts, found.grown
    assert young is not grown
    assert "drawn" in young.said["needs"]
    assert "drawn" in grown.said["needs"]
