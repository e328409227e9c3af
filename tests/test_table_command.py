"""A CSV file in, the same with its answers out: as a person and as a script call it."""

import csv
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from calling import command, on_terminal, process, run, status, unstyled

SAMPLES = Path("data/samples")
ANSWER = [
    *("ferritin_low_ug_l", "ferritin_high_ug_l", "tsat_low_pct", "tsat_high_pct"),
    *("ferritin_bound", "tsat_bound", "tsat_source"),
]
FERRITIN = ("--unit", "ferritin=ng/mL")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the samples."""
    shutil.copytree(Path(__file__).parents[1] / SAMPLES, tmp_path / SAMPLES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "labs.csv", encoding: str = "utf-8") -> str:
    """Write a file of the folder, and return its name."""
    Path(name).write_bytes(text.encode(encoding))
    return name


def answers(*arguments: str, status: int = 0, separator: str = ",") -> list[dict[str, str]]:
    """Return the rows that a call prints."""
    result = run("table", *arguments)
    assert result.exit_code == status, result.stderr
    return list(csv.DictReader(StringIO(result.stdout), delimiter=separator))


def column(name: str, rows: Sequence[dict[str, str]]) -> list[str]:
    return [row[name] for row in rows]


def summary(*arguments: str, status: int = 0) -> dict[str, object]:
    """Return the summary of a call as JSON."""
    result = run("table", *arguments, "-o", "out.csv", "--json")
    assert result.exit_code == status, result.stderr
    told = json.loads(result.stdout)
    assert isinstance(told, dict)
    return told


# rows


def test_the_input_stays_in_front_as_it_was() -> None:
    file = write('id, ferritin ,"a ""note"""\n 1 ,62 ng/mL,"x, µ\ny"\n')
    result = run("table", file, "--guideline", "aasm-2025")
    header, row = csv.reader(StringIO(result.stdout))
    assert header[:10] == ["id", " ferritin ", 'a "note"', *ANSWER]
    assert row[:10] == [" 1 ", "62 ng/mL", "x, µ\ny", "62", "62", "", "", "", "", ""]
    assert header[-1] == "problems"
    assert result.stdout.startswith('id, ferritin ,"a ""note""",ferritin_low_ug_l,')


def test_an_open_end_is_printed_at_its_limit() -> None:
    low, high = answers(write("ferritin,tsat\n<5 ng/mL,>= 45 %\n>1000 ng/mL,\n"))
    assert [low[name] for name in ANSWER[:6]] == ["0", "5", "45", "100", "<", ">="]
    assert [high[name] for name in ANSWER[:6]] == ["1000", "", "", "", ">", ""]


def test_a_blank_cell_is_missing_and_no_problem() -> None:
    rows = answers(write("ferritin,sex,age\n , ,\n62 ng/mL,,\n"))
    assert column("problems", rows) == ["", ""]
    assert column("aasm_2025_disposition", rows)[0] == "indeterminate"
    assert "ferritin" in rows[0]["aasm_2025_needs"]


def test_a_blank_line_is_no_row() -> None:
    assert len(answers(write("ferritin\n62 ng/mL\n\n5 ng/mL\n\n"))) == 2


def test_na_is_read_by_the_library_and_not_by_a_reader_of_csv() -> None:
    """A word for a missing result keeps its reason; in a comment it stays."""
    rows = answers(write("ferritin,comment\nNA,NA\n"))
    assert "missing-result" in rows[0]["notes"]
    assert rows[0]["comment"] == "NA"


def test_spaces_around_cells_and_names_do_not_count() -> None:
    rows = answers(write("ferritin, sex\n62 ng/mL, female\n"))
    assert column("problems", rows) == [""]


def test_columns_and_units_are_declared() -> None:
    file = write("LBXFER,LBXIRN,LBXTIB\n90,84,385\n")
    named = [("ferritin", "LBXFER", "ng/mL"), ("iron", "LBXIRN", "ug/dL")]
    named.append(("tibc", "LBXTIB", "ug/dL"))
    options = [
        word
        for name, label, unit in named
        for word in ("--column", f"{name}={label}", "--unit", f"{name}={unit}")
    ]
    (row,) = answers(file, *options)
    assert row["ferritin_low_ug_l"] == "90"
    assert row["tsat_low_pct"] == "21.818181818"  # 100 * 84 / 385
    assert row["tsat_source"] == "iron/tibc"


def test_mixed_cells_are_read_each_by_its_own_unit() -> None:
    rows = answers(write("ferritin\n62\n7.5 ug/dL\n<15 µg/L\nQNS\n"), *FERRITIN)
    assert column("ferritin_high_ug_l", rows) == ["62", "75", "15", ""]


def test_strict_leaves_unverified_rules_out() -> None:
    """IRLSSG's IV for a reason rests on IR-6, which is unverified: strict answers oral iron."""
    file = write("ferritin,tsat,age,oral_iron\n62 ng/mL,18 %,44,failed\n")
    plain = answers(file, "--guideline", "irlssg-2018")
    strict = answers(file, "--guideline", "irlssg-2018", "--verified-only")
    assert column("irlssg_2018_disposition", plain) == ["iv-iron"]
    assert column("irlssg_2018_disposition", strict) == ["oral-iron"]


def test_the_guidelines_are_chosen(folder: Path) -> None:
    from rlsiron.catalog import text_of

    own = text_of("guidelines/mayo-2021.toml").replace('id = "mayo-2021"', 'id = "own"', 1)
    own = own.replace("Mayo 2021", "Own")
    (folder / "own.toml").write_text(own, encoding="utf-8")
    (row,) = answers(
        write("ferritin\n62 ng/mL\n"), "--guideline", "aan-2016", "--guideline", "own.toml"
    )
    assert [name for name in row if name.endswith("_disposition")] == [
        "aan_2016_disposition",
        "own_disposition",
    ]


def test_decimal_commas_are_declared_and_kept() -> None:
    file = write("ferritin;tsat\n62,5 ng/mL;17,9 %\n1.240,0 ng/mL;<5,5 %\n", encoding="utf-8-sig")
    rows = answers(file, "--separator", ";", "--decimal", ",", separator=";")
    assert column("ferritin_low_ug_l", rows) == ["62,5", "1240"]
    assert column("tsat_high_pct", rows) == ["17,9", "5,5"]
    assert column("problems", rows) == ["", ""]


def test_decimal_commas_between_commas_are_in_quotes() -> None:
    (row,) = answers(write('ferritin\n"62,5 ng/mL"\n'), "--decimal", ",")
    assert row["ferritin_low_ug_l"] == "62,5"


def test_a_latin_1_file_with_a_micro_sign_is_read_as_declared() -> None:
    file = write("ferritin\n62 µg/L\n", encoding="latin-1")
    (row,) = answers(file, "--encoding", "latin-1")
    assert row["ferritin"] == "62 µg/L"
    assert row["ferritin_low_ug_l"] == "62"


def test_the_rows_are_utf_8_wherever_they_go() -> None:
    """Cells are data; what an output does not speak is not escaped in them."""
    file = write("ferritin\n62 µg/L\n")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        command("table", file), capture_output=True, check=True, env=environment, timeout=60
    )
    assert "62 µg/L" in done.stdout.decode("utf-8")
    run("table", file, "-o", "out.csv")
    assert Path("out.csv").read_bytes() == done.stdout


# what some rows have


UNREAD = {
    "decimal-comma": ("ferritin\n62 ng/mL\n75,3 ng/mL\n", ";", "declare --decimal ,"),
    "unknown-word": ("ferritin,sex\n62 ng/mL,femal\n", ",", "did you mean 'female'?"),
    "unknown-condition": ("ferritin,conditions\n62 ng/mL,diabets\n", ",", "'diabetes'?"),
    "unknown-unit": ("ferritin,ferritin_unit\n62,ng/mL\n62,g/L\n", ",", "did you mean 'ug/L'?"),
    "unit-column-with-nulls": (
        "ferritin,ferritin_unit\n62,ng/mL\n62,\n",
        ",",
        "or for a column of a table --unit ferritin=ng/mL",
    ),
    "mixed-units-and-none": (
        "ferritin\n62 ng/mL\n62\n",
        ",",
        "or for a column of a table --unit ferritin=ng/mL",
    ),
    "range": ("ferritin\n75-100 ng/mL\n", ",", "write one number and its unit"),
    "age": ("ferritin,age\n62 ng/mL,400\n", ",", "age '400'"),
}


@pytest.mark.parametrize(("text", "separator", "way_out"), UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_is_a_problem_of_its_row(
    text: str, separator: str, way_out: str
) -> None:
    rows = answers(write(text), "--separator", separator, status=1, separator=separator)
    assert way_out in rows[-1]["problems"]
    assert [bool(row["problems"]) for row in rows] == [False] * (len(rows) - 1) + [True]


def test_the_summary_says_how_many_rows_which_and_why() -> None:
    text = "id,ferritin,tsat,sex\n1,62 ng/mL,18 %,female\n\n"
    text += "2,75-100 ng/mL,18 %,female\n3,80-90 ng/mL,-5 %,female\n4,5_0 ng/mL,18 %,F\n"
    result = run("table", write(text), "--guideline", "aasm-2025", "-o", "out.csv")
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert lines[0] == "Rows: 4; with something that could not be read: 3."
    rows = [line.split("  ") for line in lines if line.strip()[:1].isdigit()]
    assert [[cell.strip() for cell in row if cell] for row in rows] == [
        [
            "3",
            "ferritin … has more behind the number than a unit",
            "4",
            (
                "ferritin '75-100 ng/mL' has more behind the number than a unit; write one number "
                "and its unit"
            ),
        ],
        ["1", "tsat … is negative", "5", "tsat '-5 %' is negative; no result is below zero"],
        ["1", "unknown sex …", "6", "unknown sex 'F'; known: female, male"],
    ]
    assert "Columns read: ferritin, tsat, sex." in lines
    assert "Columns not read: id." in lines


def test_a_longest_list_of_problems_is_cut_in_text_and_whole_in_json() -> None:
    names = [
        *("sex", "rls", "severity", "pregnancy", "kidney", "oral_iron", "age", "birth_date"),
        *("last_oral_iron", "last_iv_iron", "last_transfusion", "last_fever"),
    ]
    row = ",".join(["x"] * len(names))
    file = write(f"ferritin,{','.join(names)}\n62 ng/mL,{row}\n")
    text = run("table", file, "-o", "out.csv").stderr
    assert "2 other kinds are not shown; --json has all." in text
    problems = summary(file, status=1)["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 12


def test_dispositions_are_counted_with_their_shares() -> None:
    """AASM for adults: 62 oral or IV; 90 beside 30 % IV only; 150 beside 30 % no reason."""
    text = "ferritin,tsat,age\n" + "62,30,44\n" * 3 + "90,30,44\n" + "150,30,44\n" * 4
    options = (*FERRITIN, "--unit", "tsat=%", "--guideline", "aasm-2025")
    result = run("table", write(text), *options, "-o", "out.csv")
    table = [line.split() for line in result.stderr.splitlines() if line.startswith("AASM")]
    assert table == [
        ["AASM", "2025", "IV", "iron", "1", "12.5", "%"],
        ["AASM", "2025", "oral", "or", "IV", "iron", "3", "37.5", "%"],
        ["AASM", "2025", "no", "reason", "to", "start", "iron", "4", "50.0", "%"],
    ]
    told = summary("labs.csv", *options)
    assert told["rows"] == 8
    assert told["dispositions"] == {"aasm-2025": {"iv-iron": 1, "oral-or-iv-iron": 3, "no-iron": 4}}


def test_the_summary_is_json_for_a_program() -> None:
    file = write("LBXFER,sex,x\n62 ng/mL,F,\n")
    told = summary(file, "--column", "ferritin=LBXFER", "--guideline", "aan-2016", status=1)
    assert "not placed on the market" in str(told.pop("intended_use")).lower()
    assert told == {
        "files": ["labs.csv"],
        "output": "out.csv",
        "parts": 0,
        "parts_before": 0,
        "rows": 1,
        "unreadable": 1,
        "dispositions": {"aan-2016": {"indeterminate": 1}},
        "problems": [
            {
                "kind": "unknown sex …",
                "rows": 1,
                "file": "'labs.csv'",
                "line": 2,
                "example": "unknown sex 'F'; known: female, male",
            }
        ],
        "read": {"ferritin": "LBXFER", "sex": "sex"},
        "not_read": ["x"],
        "written": told["written"],
    }


def test_a_pipe_gets_rows_and_the_summary_does_not_stand_in_them() -> None:
    done = process("table", write("ferritin\n62 ng/mL\n"), "--json")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("ferritin,ferritin_low_ug_l")
    assert len(done.stdout.splitlines()) == 2
    assert json.loads(done.stderr)["rows"] == 1


# calls that are wrong


def sentences(*arguments: str) -> str:
    """Return the one sentence by which a call is refused."""
    result = run("table", *arguments, "-o", "out.csv")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert not Path("out.csv").exists()
    return result.stderr.removeprefix("error: ").rstrip("\n")


WRONG = {
    "no-results": (
        "id,age\n1,44\n",
        (),
        (
            "no column has results; name one of ferritin, tsat, iron, tibc, uibc, transferrin, "
            "crp, hemoglobin, or say --column ferritin=NAME"
        ),
    ),
    "misspelt": (
        "feritin,tsat\n62 ng/mL,18 %\n",
        (),
        (
            "column 'feritin' is not read; did you mean 'ferritin'? rename it, say --column "
            "ferritin='feritin', or drop it"
        ),
    ),
    "capital": (
        "Ferritin,tsat\n62 ng/mL,18 %\n",
        (),
        (
            "column 'Ferritin' is not read; did you mean 'ferritin'? rename it, say --column "
            "ferritin='Ferritin', or drop it"
        ),
    ),
    "doubled": (
        "ferritin,x,ferritin\n62 ng/mL,,75 ng/mL\n",
        (),
        "column 'ferritin' stands 2 times in the header; rename all but the one to read",
    ),
    "column-not-there": (
        "LBXFER\n62 ng/mL\n",
        ("--column", "ferritin=LBXFR"),
        "--column gives 'LBXFR' for 'ferritin'; did you mean 'LBXFER'?",
    ),
    "name-not-known": (
        "LBXFER\n62 ng/mL\n",
        ("--column", "feritin=LBXFER"),
        "--column names 'feritin'; did you mean 'ferritin'?",
    ),
    "column-is-no-pair": (
        "ferritin\n62 ng/mL\n",
        ("--column", "ferritin"),
        (
            "--column 'ferritin' is no pair; write it as in --column ferritin=LBXFER, or choose of "
            "the answer's columns by --columns ferritin"
        ),
    ),
    "unit-is-no-pair": (
        "ferritin\n62\n",
        ("--unit", "ng/mL"),
        "--unit 'ng/mL' is no pair; write it as in --unit ferritin=ng/mL",
    ),
    "unit-is-empty": (
        "ferritin\n62\n",
        ("--unit", "ferritin="),
        "--unit 'ferritin=' is no pair; write it as in --unit ferritin=ng/mL",
    ),
    "name-is-empty": (
        "ferritin\n62\n",
        ("--unit", "=ng/mL"),
        "--unit '=ng/mL' is no pair; write it as in --unit ferritin=ng/mL",
    ),
    "unit-twice": (
        "ferritin\n62\n",
        ("--unit", "ferritin=ng/mL", "--unit", "ferritin=ug/dL"),
        "--unit names 'ferritin' twice; give it once",
    ),
    "unit-of-no-column": (
        "ferritin\n62 ng/mL\n",
        ("--unit", "feritin=ng/mL"),
        "--unit names 'feritin'; did you mean 'ferritin'?",
    ),
    "a-unit-for-a-misspelt-column-beside-numbers-without-one": (
        "ferritin\n62\n",
        ("--unit", "ferritn=ng/mL"),
        "--unit names 'ferritn'; did you mean 'ferritin'?",
    ),
    "unknown-unit": (
        "ferritin\n62\n",
        ("--unit", "ferritin=g/L"),
        "ferritin is not reported in 'g/L'; did you mean 'ug/L'?",
    ),
    "no-unit": (
        "ferritin\n62\nQNS\n<5\n75-100\n",
        (),
        (
            "ferritin is a column of numbers with no unit; say --unit ferritin=ng/mL, or give a "
            "column 'ferritin_unit'"
        ),
    ),
    "no-unit-in-the-column-of-units": (
        "ferritin,ferritin_unit\n62,\n75,\n",
        (),
        (
            "ferritin is a column of numbers with no unit; say --unit ferritin=ng/mL, or give a "
            "column 'ferritin_unit'"
        ),
    ),
    "header-alone": (
        "ferritin\n",
        (),
        "'labs.csv' has columns and no row; give it rows",
    ),
    "empty": ("", (), "'labs.csv' is empty; give a CSV file with a header"),
    "ragged": (
        "ferritin,tsat\n62,5,18\n",
        (),
        (
            "line 2 of 'labs.csv' has 3 cells where the header has 2; mend it, and put a cell that "
            "holds the separator ',' in quotes"
        ),
    ),
    "semicolons": (
        "ferritin;tsat\n62 ng/mL;18 %\n",
        (),
        "the header of 'labs.csv' did not split at ',', and holds ';'; say --separator ';'",
    ),
    "nul": (
        "ferritin\n6\0 ng/mL\n",
        (),
        (
            "'labs.csv' holds a NUL byte, which CSV does not; export it as CSV, or say its "
            "encoding, such as --encoding utf-16-le"
        ),
    ),
    "collision": (
        "ferritin,notes\n62 ng/mL,x\n",
        (),
        (
            "column 'notes' is in the input and in the answer; rename it, or set the answer's "
            "names apart: --prefix rlsiron_"
        ),
    ),
    "collision-with-a-prefix": (
        "ferritin,my_notes\n62 ng/mL,x\n",
        ("--prefix", "my_"),
        (
            "column 'my_notes' is in the input and in the answer; rename it, or set the answer's "
            "names apart: --prefix my_rlsiron_"
        ),
    ),
    "unknown-guideline": (
        "ferritin\n62 ng/mL\n",
        ("--guideline", "asm-2025"),
        "unknown guideline 'asm-2025'; did you mean 'aasm-2025'?",
    ),
    "separator": (
        "ferritin\n62 ng/mL\n",
        ("--separator", "ab"),
        "--separator 'ab' separates no cells; write ';', tab or the like",
    ),
}


@pytest.mark.parametrize(("text", "options", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_one_sentence_with_the_way_out(
    text: str, options: tuple[str, ...], sentence: str
) -> None:
    assert sentences(write(text), *options) == sentence


def test_a_path_that_is_no_file_is_one_sentence(folder: Path) -> None:
    assert (
        sentences("none.csv")
        == "there is no file 'none.csv'; give the path of a CSV or Parquet file"
    )
    empty = folder / "empty"
    empty.mkdir()
    assert (
        sentences(str(empty))
        == f"the folder {str(empty)!r} has no CSV or Parquet file; name another"
    )


@pytest.mark.parametrize("way_out", ["--prefix rlsiron_", "--prefix x"])
def test_a_prefix_sets_the_answer_apart(way_out: str) -> None:
    _, prefix = way_out.split()
    (row,) = answers(write("ferritin,notes\n62 ng/mL,mine\n"), *way_out.split())
    assert row["notes"] == "mine"
    assert row[f"{prefix}ferritin_low_ug_l"] == "62"


def test_columns_that_are_not_read_may_be_doubled() -> None:
    result = run("table", write("x,ferritin,x,\n1,62 ng/mL,2,\n"))
    _, row = csv.reader(StringIO(result.stdout))
    assert row[:5] == ["1", "62 ng/mL", "2", "", "62"]


def test_results_that_are_words_need_no_unit() -> None:
    """Nothing is bare in a first part of the file; later ones are problems of their rows."""
    assert len(answers(write("ferritin\nQNS\nhemolyzed\n"))) == 2
    assert len(answers(write("ferritin\nfurlong\n1_0\n5 furlong\n"), status=1)) == 3


def test_a_call_that_is_refused_prints_nothing() -> None:
    result = run("table", write("ferritin\n62\n"))
    assert (result.exit_code, result.stdout) == (2, "")


def test_numbers_without_unit_in_a_later_file_are_problems_of_their_rows() -> None:
    """Files are one table: only where its first rows say nothing of a unit is the call at fault."""
    write("ferritin\n62 ng/mL\n", "0.csv")
    write("ferritin\n62\n", "1.csv")
    result = run("table", "0.csv", "1.csv", "-o", "out.csv")
    assert result.exit_code == 1
    with Path("out.csv").open(encoding="utf-8", newline="") as stream:
        one, other = csv.DictReader(stream)
    assert (one["ferritin_low_ug_l"], one["problems"]) == ("62", "")
    assert other["ferritin_low_ug_l"] == ""
    assert "ferritin" in other["problems"]
    assert run("table", "1.csv", "0.csv", "-o", "out.csv").exit_code == 2
    write("ferritin\n", "2.csv")
    assert run("table", "2.csv", "1.csv", "-o", "out.csv").exit_code == 2


def test_a_call_that_was_refused_leaves_its_folder_of_parts_to_another() -> None:
    write("ferritin\n62\n")
    assert run("table", "labs.csv", "--parts", "parts").exit_code == 2
    done = run("table", "labs.csv", "--parts", "parts", "--unit", "ferritin=ng/mL")
    assert done.exit_code == 0, done.stderr
    again = run("table", "labs.csv", "--parts", "parts")
    assert again.exit_code == 2
    assert "has parts of another call: --unit was 'ferritin=ng/mL'" in again.stderr


def test_parts_do_not_lie_in_the_input() -> None:
    Path("labs").mkdir()
    write("ferritin\n62 ng/mL\n", "labs/0.csv")
    for parts in ("labs/parts", "labs/years/parts"):
        result = run("table", "labs", "--parts", parts)
        assert result.exit_code == 2
        assert result.stderr.startswith(
            f"error: the folder of parts {parts!r} lies in the input 'labs'; name another"
        )
    assert run("table", "labs/*.csv", "--parts", "labs-answers").exit_code == 0


def test_columns_that_name_none_are_refused() -> None:
    result = run("table", write("ferritin\n62 ng/mL\n"), "--columns", ",")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--columns names none" in result.stderr


def test_the_order_of_chosen_columns_makes_no_other_call() -> None:
    write("ferritin\n62 ng/mL\n")
    for chosen in ("notes,problems", "problems,notes", "problems,notes,notes"):
        result = run("table", "labs.csv", "--parts", "parts", "--columns", chosen)
        assert result.exit_code == 0, result.stderr


def test_the_input_is_not_overwritten() -> None:
    text = "ferritin\n62 ng/mL\n"
    result = run("table", write(text), "--output", "./labs.csv")
    assert result.exit_code == 2
    assert "is the input; name another file" in result.stderr
    assert Path("labs.csv").read_text(encoding="utf-8") == text


def test_a_fault_far_down_leaves_no_half_of_an_output(folder: Path) -> None:
    file = write("ferritin\n" + "62 ng/mL\n" * 45_000 + "62,5\n")
    assert "line 45002 of 'labs.csv' has 2 cells" in sentences(file)
    assert sorted(path.name for path in folder.iterdir()) == ["data", "labs.csv"]


@pytest.mark.skipif(os.name != "posix", reason="signals differ")
def test_an_interrupted_table_leaves_nothing_behind(folder: Path) -> None:
    write("ferritin,tsat,iron,tibc\n")
    with Path("labs.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(
            f"{at}.5 ng/mL,18 %,{at % 99 + 9} ug/dL,300 ug/dL\n" for at in range(60_000)
        )
    with subprocess.Popen(
        command("table", "labs.csv", "-o", "out.csv"), stderr=subprocess.PIPE
    ) as job:
        while not list(folder.glob(".out.csv.*.part")):
            assert job.poll() is None
        job.send_signal(signal.SIGINT)
        _, told = job.communicate(timeout=60)
    assert job.returncode == 130
    assert told == b""
    assert sorted(path.name for path in folder.iterdir()) == ["data", "labs.csv"]


@pytest.mark.skipif(os.name != "posix", reason="pipes close in another way")
def test_a_reader_that_leaves_is_met_quietly() -> None:
    write("ferritin\n" + "62 ng/mL\n" * 60_000)
    with subprocess.Popen(
        command("table", "labs.csv"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as job:
        assert job.stdout is not None
        assert job.stderr is not None
        job.stdout.readline()
        job.stdout.close()
        assert job.stderr.read() == b""
    assert job.returncode == 141


def test_a_wrong_path_is_told_before_pandas_is_loaded() -> None:
    code = (
        "import sys; from rlsiron import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({'pandas', 'rich.progress'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "table", "none.csv"],
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.stdout.split() == []


# on a terminal


def test_on_a_terminal_progress_is_shown_and_the_summary_is_a_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("ferritin\n62 ng/mL\n75-100 ng/mL\n")
    code, shown = on_terminal(
        monkeypatch, "table", file, "-o", "out.csv", streams=("stdout", "stderr")
    )
    assert code == 1
    assert "labs.csv" in shown
    assert "100%" in shown
    plain = unstyled(shown)
    assert "Rows: 2; with something that could not be read: 1." in plain
    assert "───" in plain
    assert len((folder / "out.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_rows_on_a_terminal_are_not_crossed_by_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("ferritin\n62 ng/mL\n")
    _, shown = on_terminal(monkeypatch, "table", file, streams=("stdout", "stderr"))
    assert "%" not in shown.partition("Rows: 1")[0]
    assert shown.startswith("ferritin,ferritin_low_ug_l")


def test_progress_is_shown_while_rows_go_into_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write("ferritin\n62 ng/mL\n")
    code, shown = on_terminal(monkeypatch, "table", file, streams=("stderr",))
    assert code == 0
    assert "100%" in shown
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2
    assert rows[1].startswith("62 ng/mL,62,62,")


def test_an_output_that_is_no_file_gets_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("ferritin\n62 ng/mL\n")
    with redirect_stdout(StringIO()) as output:
        assert status(monkeypatch, ["table", file]) == 0
    assert len(output.getvalue().splitlines()) == 2


# samples


def readme() -> list[str]:
    """Return the calls that the README shows."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("rlsiron ")]


@pytest.mark.parametrize("call", readme())
def test_the_calls_of_the_readme_run(call: str) -> None:
    Path("archive").mkdir()
    draws = pd.DataFrame({"ferritin": [62.0], "tsat": [18.0], "age": [44.0]})
    draws.to_parquet("archive/2026.parquet")
    _, *arguments = shlex.split(call)
    unreadable = "clinic.csv" in call
    assert run(*arguments).exit_code == int(unreadable)


@pytest.mark.parametrize("name", ["clinic.csv", "survey.csv", "labor.csv"])
def test_the_samples_ship_with_the_library(name: str) -> None:
    from rlsiron.catalog import text_of

    assert text_of(f"samples/{name}").count("\n") > 5
    assert any(name in call for call in readme())


def test_the_sample_of_a_clinic_is_answered_as_the_sources_say() -> None:
    """By the tables of the evidence, AASM adult: worked out by hand, row by row."""
    rows = answers(str(SAMPLES / "clinic.csv"), "--guideline", "aasm-2025", status=1)
    assert {row["id"]: row["aasm_2025_disposition"] for row in rows} == {
        "P01": "oral-or-iv-iron",  # 62, 18 %
        "P02": "oral-or-iv-iron",  # 75 is at most 75
        "P03": "oral-or-iv-iron",  # under 5
        "P04": "withhold-iron",  # over 1000, 52 %
        "P05": "oral-or-iv-iron",  # 7.1 ug/dL is 71 µg/L
        "P06": "indeterminate",  # no ferritin, 22 %
        "P07": "indeterminate",  # 168 pmol/L is 74.76 µg/L, but the ceiling is not known
        "P08": "oral-or-iv-iron",  # a child under 50
        "P09": "oral-or-iv-iron",  # trimester 2, 28: not a cell with IV alone
        "P10": "indeterminate",  # ferritin not read
        "P11": "iv-iron",  # 88, 33 %
        "P12": "indeterminate",  # 140 beside 16 %: SL5
        "P13": "indeterminate",  # 13 days after IV iron
        "P14": "iv-iron",  # 95, 21 %
    }
    assert {row["id"] for row in rows if row["problems"]} == {"P10", "P14"}
    assert rows[4]["tsat_low_pct"] == "10.975609756"  # 100 * 45 / 410
    assert rows[1]["tsat_low_pct"] == "31"


@pytest.mark.parametrize("name", ["out.parquet", "out.pq"])
def test_an_output_is_not_named_as_another_kind(name: str) -> None:
    done = run("table", write("ferritin\n62 ng/mL\n"), "-o", name)
    assert done.exit_code == 2
    assert f"the output '{name}' would be CSV, as the input is; give it a name" in done.stderr
    assert not Path(name).exists()
