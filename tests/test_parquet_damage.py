"""A Parquet file that was damaged on its way is refused, where its writer left checksums."""

from pathlib import Path

import pytest

from calling import run

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

UNITS = ("--unit", "ferritin=ng/mL", "--guideline", "aasm-2025")


def damage(path: Path) -> None:
    """Change some bytes in the middle of a file: of its numbers, not of what describes them."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8] = bytes(255 - byte for byte in content[middle : middle + 8])
    path.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = pa.table({"ferritin": [float(at) for at in range(1, 20_000)]})
    pq.write_table(
        rows, "labs.parquet", use_dictionary=False, compression="none", write_page_checksum=True
    )
    return tmp_path


def test_damaged_numbers_are_not_read_as_others(folder: Path) -> None:
    damage(folder / "labs.parquet")
    result = run("table", "labs.parquet", "-o", "out.parquet", *UNITS)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: 'labs.parquet' is no whole Parquet file: ")
    assert "checksum" in result.stderr.lower()
    assert [path.name for path in folder.iterdir()] == ["labs.parquet"]


def test_what_is_written_has_checksums(folder: Path) -> None:
    assert run("table", "labs.parquet", "-o", "out.parquet", *UNITS).exit_code == 0
    out = folder / "out.parquet"
    pq.ParquetFile(out, page_checksum_verification=True).read()
    damage(out)
    with pytest.raises((OSError, pa.ArrowException)):
        pq.ParquetFile(out, page_checksum_verification=True).read()
