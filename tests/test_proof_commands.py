"""What is proven of a file, and where two differ, as the command line tells it."""

import json
from pathlib import Path

import pytest

from calling import on_terminal, run, unstyled
from rlsiron.catalog import guideline_ids, text_of

PARAMETERS = (
    "Parameters in use: child_below 18 years, crp_limit {crp}, tsat_ceiling 45 %, "
    "ferritin_ceiling 300 µg/L."
)
CLINIC = """id = "our-clinic"
title = "Our clinic"
extends = "aasm-2025"
version = "1"

[parameters]
crp_limit = "10 mg/L"
[[change]]
id = "AA-3"
when = { ferritin = ["> 75 ug/L", "<= 90 ug/L"] }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a clinic's file, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clinic.toml").write_text(CLINIC, encoding="utf-8")
    return tmp_path


def shown(*arguments: str) -> str:
    result = run("guideline", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(*arguments: str) -> list[str]:
    """Return the lines of the error, beside which nothing is printed."""
    result = run("guideline", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    return result.stderr.removeprefix("error: ").splitlines()


def cells(row: str) -> list[str]:
    """Return the cells of a row of a plain table."""
    return [cell.strip() for cell in row.split("  ") if cell.strip()]


def own(id_: str, base: str = "aan-2016", **changed: str) -> str:
    """Return a file that stands alone, with the text of one that ships but for some words."""
    text = text_of(f"guidelines/{base}.toml").replace(f'id = "{base}"', f'id = "{id_}"', 1)
    if id_ != base:
        text = text.replace("AAN 2016", id_.capitalize())
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    return text


# check


def test_what_was_proven_of_a_modification_is_told() -> None:
    lines = shown("check", "clinic.toml").splitlines()
    assert lines[0] == "Our clinic (modified from aasm-2025) (our-clinic)"
    assert lines[1] == "File clinic.toml. Purpose: rls. Version 1, reviewed by nobody."
    assert "(end-stage adult, end-stage child, adult, child) has patients." in lines[2]
    assert lines[4:6] == [
        PARAMETERS.format(crp="10 mg/L"),
        "Changed: crp_limit 10 mg/L in place of 5 mg/L.",
    ]
    assert any(line.startswith("AA-2-AA-3 ") for line in lines)
    assert any(
        line.startswith("PG-2 ") and "the source has no rule for pregnancy" in line
        for line in lines
    )


def test_what_was_proven_of_a_guideline_is_counted() -> None:
    """Cells as counted by hand in test_proof: 5 of ferritin, 4 of TSAT, ages, RLS and so on."""
    every = 5 * 4 * 2 * 2 * 3 * 3 * 2**2
    proven = f"Proven: an answer in each of the {every // 4} cells that it speaks of, of {every}. "
    proven += "Each of its rules (2) decides some, each of its populations (adult) has patients."
    assert shown("check", "aan-2016").splitlines()[2:] == [
        proven,
        "Rules: 2 primary.",
        PARAMETERS.format(crp="5 mg/L"),
        "Open: nothing; each covered cell has one answer, before safety and after it.",
    ]


def test_no_ceiling_is_in_use_where_none_lies() -> None:
    """Ceilings are of the safety layer of RLS."""
    (told,) = json.loads(shown("check", "kdigo-2026", "--json"))
    assert told["purpose"] == "anemia"
    assert told["parameters"] == {"child_below": "18 years", "crp_limit": "5 mg/L"}


def test_what_was_proven_is_json_for_a_program() -> None:
    (told,) = json.loads(shown("check", "clinic.toml", "--json"))
    assert told["modified_from"] == "aasm-2025"
    assert told["file"] == "clinic.toml"
    assert told["parameters"]["crp_limit"] == "10 mg/L"
    assert told["changed_parameters"] == {"crp_limit": "10 mg/L"}
    assert told["open_cells"] == sum(opening["cells"] for opening in told["open"])
    assert told["open_after_safety"] == sum(opening["after"] for opening in told["open"])
    assert sum(told["tiers"].values()) == told["rules"]
    (nice,) = json.loads(shown("check", "nice-cks", "--json"))
    assert nice["modified_from"] == ""
    # NICE: [50, 75) of F's 6 cells
    assert nice["open_cells"] == nice["covered"] // 6
    assert [opening["id"] for opening in nice["open"]] == ["NI-1-range"]


def test_each_file_of_a_folder_is_checked(folder: Path) -> None:
    (folder / "ward.toml").write_text(own("ward"), encoding="utf-8")
    assert [one["id"] for one in json.loads(shown("check", ".", "--json"))] == [
        "our-clinic",
        "ward",
    ]
    text = shown("check", ".")
    assert text.startswith("Our clinic (modified from aasm-2025) (our-clinic)\n")
    assert "\n\nWard (ward)\n" in text


def test_each_faulty_file_of_a_folder_is_a_sentence_with_its_place(folder: Path) -> None:
    faulty = own("bad", **{"<= 75 ug/L": "<= 75 g/L"})
    (folder / "bad.toml").write_text(faulty, encoding="utf-8")
    (folder / "worse.toml").write_text("id =", encoding="utf-8")
    bad, worse = refused("check", ".")
    line = next(n for n, text in enumerate(faulty.splitlines(), 1) if "<= 75 g/L" in text)
    assert f"bad.toml, line {line}," in bad
    assert "rule AN-1" in bad
    assert worse.startswith("worse.toml is not TOML: ")


def test_two_files_of_one_id_are_no_folder_of_guidelines(folder: Path) -> None:
    (folder / "copy.toml").write_text(CLINIC, encoding="utf-8")
    assert refused("check", ".") == [
        "copy.toml has the id 'our-clinic' of clinic.toml; give it its own"
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("asm-2025", "unknown guideline 'asm-2025'; did you mean 'aasm-2025'?"),
        ("who-2020", "a file of statements decides nothing; give one that says what to do"),
        ("none.toml", "cannot read the guideline file 'none.toml': "),
        ("empty", "the folder 'empty' has no guideline file; name them <id>.toml"),
    ],
)
def test_what_is_no_guideline_cannot_be_checked(name: str, sentence: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    (fault,) = refused("check", name)
    assert sentence in fault


def test_a_file_that_calls_itself_as_one_that_ships_is_refused(folder: Path) -> None:
    (folder / "false.toml").write_text(own("aan-2016"), encoding="utf-8")
    (fault,) = refused("check", "false.toml")
    assert "the id 'aan-2016' is taken" in fault


# diff


@pytest.mark.parametrize("id_", guideline_ids())
def test_a_guideline_does_not_differ_from_itself(id_: str) -> None:
    assert shown("diff", id_, id_).splitlines()[2:] == [
        "No difference: both give the same answer in every cell."
    ]


def test_a_threshold_that_moved_is_where_two_differ() -> None:
    """From 75 to 100, to 75 to 90: adults over 90 and at most 100, TSAT 20 % or more."""
    text = shown("diff", "aasm-2025", "clinic.toml")
    lines = text.splitlines()
    assert lines[0].startswith("A: AASM 2025 (aasm-2025), purpose rls, version 1, ")
    assert lines[1].startswith("B: Our clinic (modified from aasm-2025) (our-clinic), ")
    rows = lines[7:]
    assert rows
    assert all(row.startswith("ferritin in (90, 100] µg/L, TSAT in [") for row in rows)
    assert all("age in [18, 130] years, rls confirmed, " in row for row in rows)
    plain = next(row for row in rows if "iv-stopped no" in row and "pregnancy none," in row)
    assert cells(plain)[1:] == ["IV iron", "no reason to start iron", "2"]
    assert "IV iron; after safety withhold iron" in text


def test_what_differs_after_safety_comes_first_and_then_what_is_large() -> None:
    told = json.loads(shown("diff", "aasm-2025", "clinic.toml", "--json"))["differences"]
    keys = [(one["possible"][0] == one["possible"][1], -one["cells"]) for one in told]
    assert keys == sorted(keys)
    assert keys[0][0] is False
    assert keys[-1][0] is True


def test_two_versions_of_one_file_are_compared(folder: Path) -> None:
    """AAN, 75 to 80: in (75, 80], whether or not the id is one that ships."""
    moved = own("aan-2016", **{"<= 75 ug/L": "<= 80 ug/L"})
    (folder / "new.toml").write_text(moved, encoding="utf-8")
    lines = shown("diff", "aan-2016", "new.toml").splitlines()
    assert lines[0].endswith("guidelines/aan-2016.toml")
    assert lines[1].endswith("new.toml")
    assert {line.partition(",")[0] for line in lines[7:]} == {"ferritin in (75"}
    assert all("no reason to start iron" in line for line in lines[7:])


def test_a_fact_that_a_parameter_changes_is_told_from_that_of_the_other(folder: Path) -> None:
    """Mayo asks whether the patient is inflamed, from 5 mg/L of CRP; the ward from 10."""
    text = 'id = "ward"\nextends = "mayo-2021"\nversion = "1"\n'
    text += '[parameters]\ncrp_limit = "10 mg/L"\n'
    (folder / "ward.toml").write_text(text, encoding="utf-8")
    said = shown("diff", "mayo-2021", "ward.toml")
    assert ", inflamed yes, " in said
    assert ", inflamed (crp_limit 10 mg/L) no" in said
    assert ", inflamed no, " not in said  # over 10 mg/L is over 5 too
    assert "True" not in said
    assert "A fact with a parameter behind its name" in said
    assert "A fact with" not in shown("diff", "aasm-2025", "clinic.toml")  # which asks for no CRP


def test_where_two_differ_by_ferritin_and_tsat_is_one_line(folder: Path) -> None:
    """AAN, 75 to 80: a TSAT from 45 is stopped in both."""
    moved = own("aan-2016", **{"<= 75 ug/L": "<= 80 ug/L"})
    (folder / "new.toml").write_text(moved, encoding="utf-8")
    line = shown("diff", "aan-2016", "new.toml").splitlines()[3]
    where = "ferritin in (75, 80] µg/L and TSAT in [0, 45) %"
    assert line == f"By ferritin and TSAT, after safety: {where}."
    told = json.loads(shown("diff", "aan-2016", "new.toml", "--json"))
    assert told["extent"] == [["ferritin in (75, 80] ug/L", "tsat in [0, 45) %"]]


def test_what_safety_evens_out_differs_nowhere(folder: Path) -> None:
    """AAN, no iron to oral iron over 300: both are stopped; but for end-stage, to 700."""
    more = 'any = [{ ferritin = "<= 75 ug/L" }, { ferritin = "> 700 ug/L" }]'
    text = own("aan-2016", **{'when = { ferritin = "<= 75 ug/L" }': more})
    (folder / "new.toml").write_text(text, encoding="utf-8")
    line = shown("diff", "aan-2016", "new.toml").splitlines()[3]
    assert line == "By ferritin and TSAT, after safety: nowhere."


def test_what_differs_everywhere_says_so(folder: Path) -> None:
    for word in ("oral-iron", "iv-iron"):
        text = (
            f'id = "{word}"\npurpose = "anemia"\nsource = "rlsiron"\nversion = "1"\n'
            'reviewed_by = []\n[[population]]\nname = "all"\napplies = {}\n'
            f'[[population.rule]]\nid = "A"\ndisposition = "{word}"\nverified = "primary"\n'
            'says = "a"\n'
        )
        (folder / f"{word}.toml").write_text(text, encoding="utf-8")
    *lines, row = shown("diff", "oral-iron.toml", "iv-iron.toml").splitlines()
    assert lines[3] == "By ferritin and TSAT, after safety: everywhere."
    assert cells(row) == ["everywhere", "oral iron", "IV iron", "1"]


def test_rows_over_the_limit_are_counted_and_all_has_them() -> None:
    every = json.loads(shown("diff", "aasm-2025", "irlssg-2018", "--json"))["differences"]
    assert len(every) > 20
    some = shown("diff", "aasm-2025", "irlssg-2018").splitlines()
    assert len(some) == 7 + 20 + 1
    assert some[-1] == f"{len(every) - 20} more regions are not shown; --all has them."
    whole = shown("diff", "aasm-2025", "irlssg-2018", "--all").splitlines()
    assert len(whole) == 7 + len(every)
    assert "not shown" not in whole[-1]


def test_a_difference_is_json_for_a_program() -> None:
    told = json.loads(shown("diff", "aan-2016", "nice-cks", "--json"))
    assert told["one"]["id"] == "aan-2016"
    assert told["other"]["file"] == "guidelines/nice-cks.toml"
    assert told["strict"] is False
    assert {
        "where": ["ferritin in [50, 75) ug/L", "tsat in [0, 40) %", "age in [18, 130] years",
                  "rls confirmed", "iron-loading False"],
        "criterion": [["oral-iron"], ["oral-iron", "no-iron"]],
        "possible": [["oral-iron"], ["oral-iron", "no-iron"]],
        "cells": 36,
    } in told["differences"]  # fmt: skip


def test_a_tier_makes_a_difference_with_verified_only(folder: Path) -> None:
    doubted = own("doubted", **{'verified = "primary"': 'verified = "unverified"'})
    (folder / "doubted.toml").write_text(doubted, encoding="utf-8")
    assert "No difference" in shown("diff", "aan-2016", "doubted.toml")
    assert "No difference" not in shown("diff", "aan-2016", "doubted.toml", "--verified-only")


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (("asm-2025", "nice-cks"), "unknown guideline 'asm-2025'; did you mean 'aasm-2025'?"),
        (("aan-2016", "nice-ck"), "unknown guideline 'nice-ck'; did you mean 'nice-cks'?"),
        (("aan-2016", "who-2020"), "a file of statements decides nothing"),
        (("aan-2016", "none.toml"), "cannot read the guideline file 'none.toml': "),
    ],
)
def test_what_is_no_guideline_cannot_be_compared(pair: tuple[str, str], sentence: str) -> None:
    (fault,) = refused("diff", *pair)
    assert sentence in fault


# on a terminal


@pytest.mark.parametrize("call", [("check", "clinic.toml"), ("diff", "aasm-2025", "clinic.toml")])
@pytest.mark.parametrize("columns", [60, 140])
def test_on_a_terminal_no_word_of_a_table_is_lost(
    monkeypatch: pytest.MonkeyPatch, folder: Path, call: tuple[str, ...], columns: int
) -> None:
    monkeypatch.chdir(folder)
    code, text = on_terminal(monkeypatch, "guideline", *call, columns=columns)
    plain = unstyled(text)
    assert code == 0
    assert "…" not in plain
    assert max(map(len, plain.splitlines())) <= columns
