"""A folder of parts: which of them are whole, and of which call."""

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from rlsiron.errors import RlsironError
from rlsiron.parts import RECORD, opened

CALL = {"--unit": ["ferritin=ng/mL"], "the input": [["labs.csv", 10, 1]], "--decimal": "."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "parts"


def add(folder: Path, *names: str, call: dict[str, Any] = CALL) -> None:
    """Write parts that hold their names."""
    with opened(folder, call) as parts:
        for name in names:
            with parts.written(name) as stream:
                stream.write(name.encode())
            parts.keep(name, last=name == names[-1], tally={"rows": len(name)})


def whole(folder: Path, *names: str, call: dict[str, Any] = CALL) -> list[bool]:
    """Return which parts are in place."""
    with opened(folder, call) as parts:
        return [parts.whole(name) is not None for name in names]


def refused(folder: Path, call: dict[str, Any] = CALL) -> str:
    with pytest.raises(RlsironError) as fault, opened(folder, call):
        pass
    return str(fault.value)


def test_a_part_that_was_kept_is_whole_for_the_same_call(folder: Path) -> None:
    add(folder, "a", "bc")
    with opened(folder, CALL) as parts:
        part = parts.whole("bc")
    assert part is not None
    assert (part.name, part.size, part.last, part.tally) == ("bc", 2, True, {"rows": 2})
    assert whole(folder, "a", "bc", "d") == [True, True, False]


def test_a_part_in_place_that_was_not_kept_is_not_whole(folder: Path) -> None:
    """As a kill between the two leaves it."""
    with opened(folder, CALL) as parts, parts.written("a") as stream:
        stream.write(b"a")
    assert (folder / "a").is_file()
    assert whole(folder, "a") == [False]


def test_a_part_that_was_cut_or_deleted_is_not_whole(folder: Path) -> None:
    add(folder, "a", "bc", "def")
    (folder / "a").unlink()
    (folder / "bc").write_bytes(b"b")
    assert whole(folder, "a", "bc", "def") == [False, False, True]
    (folder / "a").mkdir()
    assert whole(folder, "a") == [False]


def test_a_part_that_is_written_again_counts_as_it_is_now(folder: Path) -> None:
    add(folder, "a", "b")
    with opened(folder, CALL) as parts:
        with parts.written("a") as stream:
            stream.write(b"longer")
        parts.keep("a", last=False, tally={"rows": 6})
    with opened(folder, CALL) as parts:
        part = parts.whole("a")
    assert part is not None
    assert (part.size, part.tally) == (6, {"rows": 6})


@pytest.mark.parametrize("left", range(1, 40))
def test_a_line_that_was_not_finished_counts_for_nothing(folder: Path, left: int) -> None:
    add(folder, "a", "b")
    record = folder / RECORD
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join(lines[:-1]) + lines[-1][:-left])
    assert whole(folder, "a", "b") == [True, False]
    assert record.read_bytes() == b"".join(lines[:-1])
    add(folder, "b")
    assert whole(folder, "a", "b") == [True, True]


def test_a_first_line_that_was_not_finished_is_written_again(folder: Path) -> None:
    add(folder)
    record = folder / RECORD
    line = record.read_bytes()
    record.write_bytes(line[:-5])
    add(folder)
    assert record.read_bytes() == line


@pytest.mark.parametrize(
    "damaged",
    [b"\0\0\0\0\n", b"{}\n", b"[]\n", b"3\n", b'{"call": {}}\n{"name": "a"}\n', b"\xff\n"],
    ids=repr,
)
def test_a_record_that_is_damaged_is_refused(folder: Path, damaged: bytes) -> None:
    add(folder, "a")
    (folder / RECORD).write_bytes(damaged)
    assert refused(folder) == (
        f"the record {RECORD} of the folder {str(folder)!r} is damaged, so that which parts are "
        "whole is not known; name another folder"
    )
    assert (folder / RECORD).read_bytes() == damaged


def test_what_a_killed_process_left_is_swept(folder: Path) -> None:
    add(folder, "a")
    (folder / ".b.123.part").write_bytes(b"half")
    whole(folder)
    assert sorted(path.name for path in folder.iterdir()) == [RECORD, "a"]


def write_half(stream: BinaryIO) -> None:
    stream.write(b"half")
    raise KeyError


def test_a_fault_in_a_part_leaves_none_of_it(folder: Path) -> None:
    with pytest.raises(KeyError), opened(folder, CALL) as parts, parts.written("a") as stream:
        write_half(stream)
    assert [path.name for path in folder.iterdir()] == [RECORD]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"--decimal": ","}, "--decimal was '.', and is ','"),
        ({"--unit": ["ferritin=ug/L"]}, "--unit was 'ferritin=ng/mL', and is 'ferritin=ug/L'"),
        ({"--unit": []}, "--unit was 'ferritin=ng/mL', and is None"),
        (
            {"--unit": ["ferritin=ng/mL", "tsat=%"]},
            "--unit was None, and is 'tsat=%'",
        ),
        (
            {"the input": [["other.csv", 10, 2]]},
            "the input was 'labs.csv', and is 'other.csv'",
        ),
        ({"the knowledge": "abc"}, "the knowledge was None, and is 'abc'"),
    ],
)
def test_parts_of_another_call_are_refused(folder: Path, other: dict[str, Any], why: str) -> None:
    add(folder, "a")
    assert refused(folder, {**CALL, **other}) == (
        f"the folder {str(folder)!r} has parts of another call: {why}; call as before to go on "
        "with it, or name another folder"
    )
    assert whole(folder, "a") == [True]


def test_an_input_that_was_changed_is_told(folder: Path) -> None:
    add(folder, "a")
    assert refused(folder, {**CALL, "the input": [["labs.csv", 10, 2]]}) == (
        f"'labs.csv' was changed since the parts of the folder {str(folder)!r} were written, as "
        "its size or its time tells; name another folder"
    )


@pytest.mark.parametrize("left", [0, 5])
def test_parts_without_the_line_of_their_call_are_not_gone_on_with(folder: Path, left: int) -> None:
    """Else parts of two calls could stand beside each other."""
    add(folder, "a")
    path = folder / RECORD
    path.write_bytes(path.read_bytes()[:left])
    assert f"the record {RECORD} of the folder" in refused(folder)
    assert "is damaged" in refused(folder)


def test_a_call_that_lacks_what_was_said_is_refused(folder: Path) -> None:
    add(folder, "a", call={**CALL, "--prefix": "x_"})
    assert "--prefix was 'x_', and is None" in refused(folder)


def test_a_call_that_wrote_no_part_leaves_the_folder_to_another(folder: Path) -> None:
    add(folder, call={**CALL, "--prefix": "x_"})
    add(folder, "a")
    assert whole(folder, "a") == [True]


def test_a_call_is_the_same_though_json_makes_its_tuples_lists(folder: Path) -> None:
    add(folder, "a", call={**CALL, "--columns": ("notes",)})
    assert whole(folder, "a", call={**CALL, "--columns": ("notes",)}) == [True]


def test_a_second_process_on_the_folder_is_refused(folder: Path) -> None:
    with opened(folder, CALL):
        assert refused(folder) == (
            f"another process writes parts to the folder {str(folder)!r}; wait for it, or name "
            "another folder"
        )
    add(folder, "a")


def test_a_folder_with_other_files_is_refused_and_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / ".hidden").touch()
    (folder / "thesis.doc").touch()
    assert refused(folder) == (
        f"the folder {str(folder)!r} holds other files, such as 'thesis.doc'; name a new one"
    )
    assert sorted(path.name for path in folder.iterdir()) == [".hidden", "thesis.doc"]


def test_an_empty_folder_is_taken(folder: Path) -> None:
    folder.mkdir()
    (folder / ".hidden").touch()
    add(folder, "a")
    assert json.loads((folder / RECORD).read_text().splitlines()[0]) == {"call": CALL}


def test_a_folder_whose_parent_is_missing_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none" / "parts") == (
        f"there is no folder {str(tmp_path / 'none')!r} for the parts; make it first"
    )


def test_a_file_is_no_folder_of_parts(folder: Path) -> None:
    folder.touch()
    assert refused(folder) == f"{str(folder)!r} is a file; name a folder for the parts"


def test_a_folder_that_cannot_be_written_says_so(folder: Path) -> None:
    with (
        pytest.raises(RlsironError, match=r"cannot be written: No space left on device; the parts"),
        opened(folder, CALL),
    ):
        raise OSError(28, "No space left on device")


def test_a_system_without_locks_goes_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    add(folder, "a")
    assert whole(folder, "a") == [True]
