"""Which files a path, a folder or a pattern means."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rlsiron.errors import RlsironError
from rlsiron.inputs import files_of, kind_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(*given: str) -> list[str]:
    return [str(path) for path in files_of(given)[0]]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "CSV"),
        ("a.TSV", "CSV"),
        ("a.txt", "CSV"),
        ("a", "CSV"),
        ("a.Parquet", "Parquet"),
        ("a.pq", "Parquet"),
    ],
)
def test_a_file_is_known_by_its_name(name: str, kind: str) -> None:
    assert kind_of(Path(name)) == kind
    make(name)
    assert files_of([name]) == ((Path(name),), kind)


def test_files_come_in_the_order_that_they_are_given_in() -> None:
    make("b.csv", "a.csv")
    assert found("b.csv", "a.csv") == ["b.csv", "a.csv"]


def test_a_folder_means_its_files_by_name_but_for_hidden_ones() -> None:
    make("lab/b.csv", "lab/a.tsv", "lab/.hidden.csv", "lab/_rlsiron.jsonl", "lab/_x.csv")
    assert found("lab") == ["lab/a.tsv", "lab/b.csv"]


def test_a_pattern_means_the_files_that_match_by_name() -> None:
    make("lab/2/a.csv", "lab/1/b.csv", "lab/1/c.pq", "lab/deep.csv/d.csv")
    assert found("lab/*/*.csv") == ["lab/1/b.csv", "lab/2/a.csv", "lab/deep.csv/d.csv"]
    assert found("lab/**/[ab].csv") == ["lab/1/b.csv", "lab/2/a.csv"]
    assert found("lab/?/*.pq") == ["lab/1/c.pq"]


def test_a_file_whose_name_is_a_pattern_is_itself() -> None:
    make("lab[1].csv", "lab1.csv")
    assert found("lab[1].csv") == ["lab[1].csv"]


def test_a_name_that_no_file_can_have_is_left_to_who_opens_it() -> None:
    name = "a" * 300 + ".csv"
    assert found(name) == [name]


@pytest.mark.parametrize(
    ("there", "given", "why"),
    [
        (["a.csv"], ["a.csv", "a.csv"], "'a.csv' is named twice; give it once"),
        (["a.csv"], ["*.csv", "./a.csv"], "'a.csv' is named twice; give it once"),
        (
            ["e/b.csv", "a.csv"],
            ["a.csv", "e/../a.csv"],
            "'e/../a.csv' is named twice, also as 'a.csv'; give it once",
        ),
        (
            ["a.csv", "b.pq"],
            ["a.csv", "b.pq"],
            "'a.csv' is CSV and 'b.pq' is Parquet; answer them in separate calls",
        ),
        (
            ["a.csv", "b.pq"],
            ["b.pq", "a.csv"],
            "'b.pq' is Parquet and 'a.csv' is CSV; answer them in separate calls",
        ),
        (["e/_x"], ["e"], "the folder 'e' has no CSV or Parquet file; name another"),
        (
            ["e/1/a.csv"],
            ["e"],
            (
                "the folder 'e' has no CSV or Parquet file; folders in it are named by a pattern, "
                "such as 'e/*/*.csv'"
            ),
        ),
        (
            ["e/a.csv", "e/b.parquet"],
            ["e"],
            "the folder 'e' holds CSV and Parquet files; say which to read, such as 'e/*.csv'",
        ),
        (
            ["e/a.pq", "e/readme.txt"],
            ["e"],
            (
                "the folder 'e' holds 'readme.txt' beside Parquet files; say which to read, such "
                "as 'e/*.pq'"
            ),
        ),
        (
            ["e/a.csv", "e/sub.csv/b.csv"],
            ["e"],
            "the folder 'e' holds 'sub.csv' beside CSV files; say which to read, such as 'e/*.csv'",
        ),
        (
            ["e/a.csv"],
            ["e/*.cvs"],
            "no file matches 'e/*.cvs' in the folder 'e'; did you mean 'e/*.csv'?",
        ),
        (["e/1/a.csv"], ["e/*.csv"], "no file matches 'e/*.csv' in the folder 'e'; it has no file"),
        ([], ["none/*.csv"], "no file matches 'none/*.csv': there is no folder 'none'"),
        (
            ["e/labs.csv"],
            ["e/lab.csv"],
            "there is no file 'e/lab.csv'; did you mean 'e/labs.csv'?",
        ),
        (
            [],
            ["none/labs.csv"],
            "there is no file 'none/labs.csv'; give the path of a CSV or Parquet file",
        ),
    ],
)
def test_what_means_no_files_is_one_sentence_with_the_way_out(
    there: Sequence[str], given: Sequence[str], why: str
) -> None:
    make(*there)
    with pytest.raises(RlsironError) as fault:
        files_of(given)
    assert str(fault.value) == why


def test_a_file_is_one_by_whichever_link() -> None:
    make("a.csv")
    Path("b.csv").symlink_to("a.csv")
    with pytest.raises(RlsironError, match=r"'b.csv' is named twice, also as 'a.csv'; give it"):
        files_of(["."])


def test_a_link_to_nothing_is_told() -> None:
    Path("a.csv").symlink_to("gone.csv")
    with pytest.raises(RlsironError) as fault:
        files_of(["a.csv"])
    assert str(fault.value) == "'a.csv' is a link to a file that is not there; mend the link"


def test_the_pattern_for_folders_has_the_ending_of_their_files() -> None:
    make("lab/1/b.parquet")
    with pytest.raises(RlsironError, match=r"such as 'lab/\*/\*\.parquet'"):
        files_of(["lab"])
