"""Opening knowledge files: the library's own, and a user's."""

import hashlib
import subprocess
import sys
import zipfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from rlsiron.catalog import (
    LARGEST_FILE,
    Document,
    document,
    guideline_document,
    guideline_ids,
    text_of,
)
from rlsiron.errors import GuidelineError

SHIPPED = (
    "aan-2016",
    "aasm-2025",
    "dgn-2022",
    "irlssg-2018",
    "kdigo-2026",
    "mayo-2021",
    "nice-cks",
    "picchietti-2015",
)
SMALL = 'id = "small"\n'


def test_the_guidelines_that_ship() -> None:
    """Clinical §7: every source with a matrix of its own, in alphabetical order."""
    assert guideline_ids() == SHIPPED


@pytest.mark.parametrize("id_", SHIPPED)
def test_a_shipped_guideline_is_found_by_its_id(id_: str) -> None:
    """The file's own id is the name it is found by."""
    found = guideline_document(id_)
    assert found.name == f"guidelines/{id_}.toml"
    assert found.data["id"] == id_


def test_a_document_is_opened_once() -> None:
    """The loader is cached."""
    assert document("facts.toml") is document("facts.toml")


def test_text_of_reads_utf_8() -> None:
    """A file of the library, with its non-ASCII letters."""
    assert "µ" in text_of("guidelines/aasm-2025.toml")


def test_the_fingerprint_is_that_of_the_text() -> None:
    """sha256 of the text in UTF-8."""
    assert Document("x", SMALL, {}).sha256 == hashlib.sha256(b'id = "small"\n').hexdigest()


def test_the_fingerprint_does_not_depend_on_line_ends(tmp_path: Path) -> None:
    """A checkout on Windows has the same knowledge."""
    (tmp_path / "unix.toml").write_bytes(b"a = 1\nb = 2\n")
    (tmp_path / "windows.toml").write_bytes(b"a = 1\r\nb = 2\r\n")
    unix, windows = (guideline_document(tmp_path / f"{name}.toml") for name in ("unix", "windows"))
    assert unix.sha256 == windows.sha256
    assert unix.data == windows.data == {"a": 1, "b": 2}


LINES = {
    "the first": (("a",), 1),
    "the second line": (("b",), 2),
    "after another": (("b", "a"), 3),
    "the same twice": (("a", "a"), 3),
    "not there": (("z",), None),
    "not after": (("c", "b"), 3),
}


@pytest.mark.parametrize(("anchors", "line"), LINES.values(), ids=LINES)
def test_a_line_is_found_after_the_anchors_before_it(
    anchors: tuple[str, ...], line: int | None
) -> None:
    """Each anchor is sought after the one before."""

    assert Document("x", "a\nb\na c\n", {}).line_of(*anchors) == line


@pytest.mark.parametrize("kind", [str, Path], ids=["text", "Path"])
def test_a_users_file_is_found_by_its_path(tmp_path: Path, kind: type[str] | type[Path]) -> None:
    """By text that ends in .toml, or by a Path."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert guideline_document(kind(path)).data == {"id": "small"}


def test_a_path_needs_no_suffix(tmp_path: Path) -> None:
    """A Path is always a path."""
    (tmp_path / "small").write_text(SMALL, encoding="utf-8")
    assert guideline_document(tmp_path / "small").data == {"id": "small"}


IDS = {
    "one letter off": ("aasm-2024", "did you mean 'aasm-2025'?"),
    "capitals": ("AASM-2025", "did you mean 'aasm-2025'?"),
    "empty": ("", "known: aan-2016"),
    "nothing like it": ("zzz", "known: aan-2016"),
    "a way out of the folder": ("../facts", "unknown guideline '../facts'"),
}


@pytest.mark.parametrize(("given", "hint"), IDS.values(), ids=IDS)
def test_an_unknown_id_is_refused_with_a_hint(given: str, hint: str) -> None:
    """Style: the value in its repr, then the way out."""
    with pytest.raises(GuidelineError) as caught:
        guideline_document(given)
    assert repr(given) in str(caught.value)
    assert hint in str(caught.value)


def test_a_file_of_1_mb_is_read_and_one_over_it_is_not(tmp_path: Path) -> None:
    """Design §5: a file over 1 MB is refused unread."""
    assert LARGEST_FILE == 1_000_000
    path = tmp_path / "large.toml"
    path.write_bytes(b"#" * (LARGEST_FILE - 1) + b"\n")
    assert guideline_document(path).data == {}
    path.write_bytes(b"\xff" * (LARGEST_FILE + 1))  # not UTF-8: reading it would say so
    with pytest.raises(GuidelineError, match="1000000 bytes"):
        guideline_document(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(GuidelineError, match="nowhere"):
        guideline_document(tmp_path / "nowhere.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(GuidelineError, match="cannot read the guideline file"):
        guideline_document(tmp_path)


@pytest.mark.parametrize("name", ["a\0b.toml", "a" * 5000 + ".toml"], ids=["a null", "too long"])
@pytest.mark.parametrize("kind", [str, Path], ids=["text", "Path"])
def test_a_name_that_no_file_can_have_is_refused(name: str, kind: type[str] | type[Path]) -> None:
    """Never a traceback of another kind."""
    with pytest.raises(GuidelineError):
        guideline_document(kind(name))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path, encoding: str) -> None:
    """With its path."""
    (tmp_path / "ours.toml").write_text('title = "µg"\n', encoding=encoding)
    with pytest.raises(GuidelineError, match=r"ours\.toml': it is not UTF-8; save it so$"):
        guideline_document(tmp_path / "ours.toml")


@pytest.mark.parametrize("text", ["{{{", "a = ", "a = 1\na = 2", "a = " + "[" * 20_000])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, text: str) -> None:
    """With its path, and what TOML says."""
    (tmp_path / "ours.toml").write_text(text, encoding="utf-8")
    with pytest.raises(GuidelineError, match=r"ours\.toml(,| is not TOML)"):
        guideline_document(tmp_path / "ours.toml")


def packed(archive: zipfile.ZipFile, source: Traversable, name: str) -> None:
    """Write a package and what is in it to an archive."""
    for entry in source.iterdir():
        if entry.is_dir() and entry.name not in {"__pycache__", "data"}:
            packed(archive, entry, f"{name}/{entry.name}")
        elif entry.is_file():
            archive.writestr(f"{name}/{entry.name}", entry.read_bytes())


def test_the_library_answers_from_a_zip(tmp_path: Path) -> None:
    """Design §3: tried from a zip."""
    archive = tmp_path / "rlsiron.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        packed(zipped, files("rlsiron"), "rlsiron")
        packed(zipped, files("rlsiron.data"), "rlsiron/data")
    code = (
        f"import sys; sys.path.insert(0, {str(archive)!r})\n"
        "import rlsiron, rlsiron.data\n"
        "answer = rlsiron.interpret(ferritin='62 ng/mL', tsat='18 %', patient={'age': 44})\n"
        "print(rlsiron.__file__, rlsiron.data.__file__, answer.decision.disposition, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    code_file, data_file, disposition = done.stdout.split()
    assert code_file.startswith(str(archive))
    assert data_file.startswith(str(archive))
    assert disposition == "oral-or-iv-iron"


def test_no_module_asks_where_it_lies() -> None:
    """Design §3: data are read with `importlib.resources`, never beside `__file__`."""
    modules = [entry for entry in files("rlsiron").iterdir() if entry.name.endswith(".py")]
    assert len(modules) > 10
    assert [entry.name for entry in modules if "__file__" in entry.read_text("utf-8")] == []
