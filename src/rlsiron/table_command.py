"""The command on many rows: `table`, files of draws in, the same with their answers out."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import Parameter
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsiron.command import (
    DONE,
    UNREADABLE,
    Command,
    as_json,
    decimal_sign,
    guidelines,
    option,
    several,
)
from rlsiron.errors import RlsironError
from rlsiron.guideline import load_guideline
from rlsiron.inputs import Kind, files_of, kind_of
from rlsiron.interpretation import DEFAULT_GUIDELINES, board_of, provenance_of
from rlsiron.report import json_text, write
from rlsiron.whole_file import refuse_output

if TYPE_CHECKING:
    from rlsiron.archive import Archive, Done
    from rlsiron.file_answers import Asked, Format

_ROWS = 1_000_000  # of a part

_HELP = (
    "Put what the guidelines say behind each row of CSV or Parquet files.\n\n"
    "A row is a draw. Read are the columns with the name of an analyte, of its unit "
    "(ferritin_unit), or of an option of `interpret`, such as sex and last_iv_iron. A cell with no "
    "unit needs --unit; a blank one is missing. Files are one table: a file, several, a folder or "
    "a quoted pattern, with the same columns in each. The answer is of the kind of the input; CSV "
    "has its separator and decimal sign, and is UTF-8. The summary goes to stderr; as JSON to "
    "stdout if there is an output.\n\n"
    "With --parts a call that was interrupted goes on behind the parts that are whole, when it is "
    "given again.\n\n"
    "Exit status: 0 done, 1 some rows could not be read in full, 2 the call was wrong."
)


def _options() -> Iterator[Parameter]:
    yield several("files", "CSV files with a header, or Parquet files; a folder, or a pattern.")
    where = "Where the answer goes, whole or not at all; CSV is printed if not given."
    yield option("output", str, "-o", "--output", metavar="FILE", help=where)
    parts = "Write parts to this folder, each whole or not at all; with -o they are joined there."
    yield option("parts", str, metavar="FOLDER", help=parts)
    size = f"How many rows a part has at most; {_ROWS} if not given."
    yield option("part_rows", int, "--part-rows", min=1, metavar="N", help=size)
    unit = "The unit of results that state none, such as ferritin=ng/mL. Repeatable."
    yield option("unit", list[str], metavar="NAME=UNIT", help=unit)
    column = "The column that holds a result or a field, such as ferritin=LBXFER. Repeatable."
    yield option("column", list[str], metavar="NAME=COLUMN", help=column)
    engine = "Answer Parquet on dask or spark, in parts; --parts names a folder that is new."
    yield option("engine", str, metavar="NAME", help=engine)
    address = (
        "Of the cluster, such as tcp://host:8786 or spark://host:7077; this machine if not given."
    )
    yield option("address", str, metavar="URL", help=address)
    chosen = (
        "A column of the answer to write, such as notes, or disposition for that of each "
        "guideline; all if not given. Repeatable, or several with commas between."
    )
    yield option("chosen", list[str], "--columns", metavar="NAME", help=chosen)
    yield decimal_sign()
    sign = "What separates cells: a character, or tab; a comma if not given."
    yield option("separator", str, metavar="SIGN", help=sign)
    encoding = "How the text is encoded, such as latin-1; UTF-8 if not given."
    yield option("encoding", str, metavar="NAME", help=encoding)
    before = "Before the name of each column of the answer."
    yield option("prefix", str, default="", metavar="TEXT", help=before)
    yield from guidelines()
    yield as_json(about="Give the summary as JSON.")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the answer goes."""

    output: Path | None
    parts: Path | None
    part_rows: int

    def refuse(self, given: Sequence[str], files: Sequence[Path], kind: Kind) -> None:
        """Refuse what cannot be written."""
        over = self.parts.resolve().parents if self.parts else ()
        for folder in map(Path, given):
            if folder.is_dir() and folder.resolve() in over:
                raise RlsironError(
                    f"the folder of parts {str(self.parts)!r} lies in the input {str(folder)!r}; "
                    "name another"
                )
        for place, name in ((self.output, "-o"), (self.parts, "--parts")):
            if place is not None and not str(place).strip("."):
                raise RlsironError(f"{name} {str(place)!r} names no place; name a file or a folder")
        if self.output is not None:
            if self.output.is_dir():
                raise RlsironError(
                    f"the output {str(self.output)!r} is a folder; for a folder of parts say "
                    f"--parts {self.output}"
                )
            if self.parts is not None and self.parts.resolve() in self.output.resolve().parents:
                raise RlsironError(
                    f"the output {str(self.output)!r} lies in the folder of parts; name another"
                )
            if kind_of(self.output) != kind and self.output.suffix:
                raise RlsironError(
                    f"the output {str(self.output)!r} would be {kind}, as the input is; give it a "
                    "name that says so"
                )
            refuse_output(self.output, sources=tuple(files))
        if self.output is None and self.parts is None and kind == "Parquet":
            raise RlsironError("Parquet is not printed; say where it goes: -o out.parquet")

    def filled(self, archive: "Archive", call: Mapping[str, Any]) -> "Done":
        """Write the answer, and return what was done."""
        if self.parts is not None:
            done = archive.to_parts(self.parts, self.part_rows, call)
            if self.output is not None:
                archive.join(self.output)
            return done
        if self.output is not None:
            return archive.to_file(self.output)
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # cells are data, and stay what they are
        return archive.to_stream(sys.stdout)


def _table(
    *,
    files: list[str],
    output: str | None,
    parts: str | None,
    part_rows: int | None,
    unit: list[str] | None,
    column: list[str] | None,
    chosen: list[str] | None,
    engine: str | None,
    address: str | None,
    separator: str | None,
    encoding: str | None,
    guidelines: list[str] | None,
    json: bool,
    **asked: Any,  # noqa: ANN401 - of each option its own type
) -> int:
    asked["units"] = _pairs("unit", unit or (), "ferritin=ng/mL")
    asked["columns"] = _pairs("column", column or (), "ferritin=LBXFER")
    names = (name.strip() for given in chosen or () for name in given.split(","))
    asked["chosen"] = tuple(name for name in names if name)
    if chosen and not asked["chosen"]:
        raise RlsironError("--columns names none; name one such as disposition, or leave it out")
    loaded = tuple(map(load_guideline, guidelines or DEFAULT_GUIDELINES))
    found, kind = files_of(files)
    if part_rows is not None and (parts is None or engine is not None):
        raise RlsironError("--part-rows is of --parts without an engine; leave it out")
    size = part_rows or _ROWS
    target = _Target(
        None if output is None else Path(output), None if parts is None else Path(parts), size
    )
    target.refuse(files, found, kind)
    rests_on = provenance_of(board_of(loaded, strict=asked["strict"])).model_dump()

    from rlsiron.archive import Archive  # with pandas, which a wrong path need not load
    from rlsiron.file_answers import Asked
    from rlsiron.table_summary import as_data, summary

    asks = Asked(guidelines=loaded, **asked)
    format_ = _format(kind, separator, encoding, asks, rests_on)
    call = _call(asks, separator, encoding, size, rests_on)
    written = [given for given in (output, parts) if given]
    if engine is not None:
        done = _on_engine(engine, address, found, target, asks)
    else:
        if address is not None:
            raise RlsironError(f"--address {address!r} is of an engine; say which by --engine")
        with _progress(found, shown=bool(written)) as shown:
            archive = Archive(found, format_, asks, lambda rows, read: shown(archive, rows, read))
            done = target.filled(archive, call)
    if json:
        stream = sys.stdout if written else sys.stderr
        data = as_data(done, loaded, format_.place, files=list(map(str, found)), output=output)
        write(json_text(data, stream), stream)
    else:
        write(summary(done, loaded, format_.place), sys.stderr)
    return UNREADABLE if done.tally.unreadable else DONE


def _on_engine(
    engine: str, address: str | None, files: Sequence[Path], target: _Target, asks: "Asked"
) -> "Done":
    """Have an engine write the answer, and return what was done."""
    if kind_of(files[0]) != "Parquet" or target.parts is None or target.output is not None:
        raise RlsironError(
            "--engine reads Parquet and writes parts; say --parts FOLDER, without -o"
        )
    from rlsiron.engines import answer_on, engine_of

    return answer_on(engine_of(engine), address, files, target.parts, asks)


def _format(
    kind: Kind,
    separator: str | None,
    encoding: str | None,
    asks: "Asked",
    rests_on: Mapping[str, Any],
) -> "Format":
    """Return how the files are read and written."""
    if kind == "CSV":
        from rlsiron.csv_answers import CsvFormat

        return CsvFormat(separator, encoding, asks.decimal)
    for name, given in (("separator", separator), ("encoding", encoding)):
        if given is not None:
            raise RlsironError(f"--{name} is for CSV; a Parquet file says such things itself")
    try:
        from rlsiron.parquet_file import ParquetFormat
    except ModuleNotFoundError as fault:
        if fault.name != "pyarrow":
            raise
        raise RlsironError(
            "Parquet is read by pyarrow, which is not installed; run pip install 'rlsiron[parquet]'"
        ) from None
    return ParquetFormat(rests_on)


def _call(
    asks: "Asked",
    separator: str | None,
    encoding: str | None,
    part_rows: int,
    rests_on: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what makes parts belong together, each by the name that one knows it by."""
    return {
        "--guideline": [guideline.id for guideline in asks.guidelines],
        "--verified-only": asks.strict,
        "--unit": sorted(f"{name}={unit}" for name, unit in asks.units.items()),
        "--column": sorted(f"{name}={label}" for name, label in asks.columns.items()),
        "--columns": sorted(set(asks.chosen)),
        "--decimal": asks.decimal,
        "--separator": separator,
        "--encoding": encoding,
        "--prefix": asks.prefix,
        "--part-rows": part_rows,
        "the version": rests_on["library_version"],
        "the knowledge": rests_on["sha256"],
    }


def _pairs(name: str, given: Sequence[str], sample: str) -> dict[str, str]:
    """Return what an option says of each name."""
    pairs: dict[str, str] = {}
    for text in given:
        left, sign, right = (part.strip() for part in text.partition("="))
        if not (left and sign and right):
            hint = f", or choose of the answer's columns by --columns {text}"
            raise RlsironError(
                f"--{name} {text!r} is no pair; write it as in --{name} {sample}"
                f"{hint if name == 'column' and text and not sign else ''}"
            )
        if left in pairs:
            raise RlsironError(f"--{name} names {left!r} twice; give it once")
        pairs[left] = right
    return pairs


def _named(files: Sequence[Path]) -> str:
    return f"{len(files)} files" if files[1:] else files[0].name


@contextmanager
def _progress(
    files: Sequence[Path], *, shown: bool
) -> "Iterator[Callable[[Archive, int, int], None]]":
    """Give what is told of the rows, and shows them where stderr is a terminal."""
    if not sys.stderr.isatty() or not (shown or not sys.stdout.isatty()):
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}: {task.fields[rows]:,} rows", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]:,.0f} rows/s, left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # the answer may go there
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task(_named(files), total=None, rows=0, rate=0.0)

        def tell(archive: "Archive", rows: int, read: int) -> None:
            met = bar.tasks[0].fields["rows"] + rows
            rate = met / (bar.tasks[0].elapsed or 1.0)
            bar.update(task, total=archive.size or None, completed=read, rows=met, rate=rate)

        yield tell


TABLE = Command(
    "table",
    _HELP,
    _table,
    _options,
    examples=(
        "rlsiron table labs.csv -o out.csv --unit ferritin=ng/mL --unit tsat=%",
        "rlsiron table nhanes.csv --column ferritin=LBXFER --unit ferritin=ug/L",
        "rlsiron table labor.csv --separator ';' --decimal , --encoding latin-1 -o out.csv",
        "rlsiron table labs.csv --unit ferritin=ng/mL --guideline mayo-2021 --json -o out.csv",
        "rlsiron table labs.csv --columns disposition,notes --unit ferritin=ng/mL -o out.csv",
        "rlsiron table 'archive/*.parquet' --parts answers --unit ferritin=ng/mL --unit tsat=%",
        "rlsiron table archive --engine dask --parts by-dask --unit ferritin=ng/mL --unit tsat=%",
    ),
)
