"""The command on many rows: `table`, a CSV file in, the same with its answers out."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import Parameter
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsiron import csv_file
from rlsiron.command import (
    DONE,
    UNREADABLE,
    Command,
    argument,
    as_json,
    decimal_sign,
    guidelines,
    option,
)
from rlsiron.errors import RlsironError
from rlsiron.guideline import Guideline, load_guideline
from rlsiron.interpretation import DEFAULT_GUIDELINES
from rlsiron.models import Disposition
from rlsiron.report import Answer, Grid, Line, json_text, write
from rlsiron.wording import phrase, word

if TYPE_CHECKING:
    from rlsiron.csv_answers import Tally

_KINDS_SHOWN = 10

_HELP = (
    "Put what the guidelines say behind each row of a CSV file.\n\n"
    "A row is a draw. Read are the columns with the name of an analyte, of its unit "
    "(ferritin_unit), or of an option of `interpret`, such as sex and last_iv_iron. A cell with no "
    "unit needs --unit; a blank one is missing. The answer has the separator and the decimal sign "
    "of the input, and is UTF-8. The summary goes to stderr; as JSON to stdout if there is -o.\n\n"
    "Exit status: 0 done, 1 some rows could not be read in full, 2 the call was wrong."
)


def _options() -> Iterator[Parameter]:
    yield argument("file", "A CSV file with a header.")
    where = "Where the answer goes, whole or not at all; printed if not given."
    yield option("output", str, "-o", "--output", metavar="FILE", help=where)
    unit = "The unit of results that state none, such as ferritin=ng/mL. Repeatable."
    yield option("unit", list[str], metavar="NAME=UNIT", help=unit)
    column = "The column that holds a result or a field, such as ferritin=LBXFER. Repeatable."
    yield option("column", list[str], metavar="NAME=COLUMN", help=column)
    yield decimal_sign()
    sign = "What separates cells: a character, or tab; a comma if not given."
    yield option("separator", str, metavar="SIGN", help=sign)
    encoding = "How the text is encoded, such as latin-1; UTF-8 if not given."
    yield option("encoding", str, metavar="NAME", help=encoding)
    before = "Before the name of each column of the answer."
    yield option("prefix", str, default="", metavar="TEXT", help=before)
    yield from guidelines()
    yield as_json(about="Give the summary as JSON.")


def _table(
    *,
    file: str,
    output: str | None,
    unit: list[str] | None,
    column: list[str] | None,
    separator: str | None,
    encoding: str | None,
    guidelines: list[str] | None,
    json: bool,
    **asked: Any,  # noqa: ANN401 - of each option its own type
) -> int:
    asked["units"] = _pairs("unit", unit or (), "ferritin=ng/mL")
    asked["columns"] = _pairs("column", column or (), "ferritin=LBXFER")
    loaded = tuple(map(load_guideline, guidelines or DEFAULT_GUIDELINES))
    path = Path(file)
    with csv_file.opened(path, separator=separator, encoding=encoding) as source:
        from rlsiron.csv_answers import answer_rows  # with pandas, which a wrong path need not load

        with _sink(output, path) as sink, _progress(path, shown=bool(output)) as told:
            tally = answer_rows(source, sink, guidelines=loaded, told=told, **asked)
    if json:
        stream = sys.stdout if output else sys.stderr
        write(json_text(_as_data(tally, loaded, file=file, output=output), stream), stream)
    else:
        write(_summary(tally, loaded), sys.stderr)
    return UNREADABLE if tally.unreadable else DONE


def _pairs(name: str, given: Sequence[str], sample: str) -> dict[str, str]:
    """Return what an option says of each name."""
    pairs: dict[str, str] = {}
    for text in given:
        left, sign, right = (part.strip() for part in text.partition("="))
        if not (left and sign and right):
            raise RlsironError(f"--{name} {text!r} is no pair; write it as in --{name} {sample}")
        if left in pairs:
            raise RlsironError(f"--{name} names {left!r} twice; give it once")
        pairs[left] = right
    return pairs


@contextmanager
def _sink(output: str | None, source: Path) -> "Iterator[Any]":
    """Give the stream of the answer: a file that is there when it is whole, or stdout."""
    if output is not None:
        with csv_file.written_whole(Path(output), source=source) as stream:
            yield stream
        return
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # cells are data, and stay what they are
    yield sys.stdout


@contextmanager
def _progress(source: Path, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Give what is told of the bytes read, and shows them where stderr is a terminal."""
    if not sys.stderr.isatty() or not (shown or not sys.stdout.isatty()):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # the answer may go there
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task(source.name, total=source.stat().st_size or None)
        yield lambda done: bar.update(task, completed=done)


def _summary(tally: "Tally", guidelines: tuple[Guideline, ...]) -> Answer:
    lines: list[Line | Grid] = [
        Line(f"Rows: {tally.rows}; with something that could not be read: {tally.unreadable}."),
        Line(""),
        Grid(
            ("guideline", "answer", "rows", "share"),
            [
                (guideline.title, word("disposition", code), str(count), _share(count, tally.rows))
                for guideline in guidelines
                for code, count in _counts(tally, guideline).items()
            ],
            frozenset({2, 3}),
        ),
    ]
    if tally.problems:
        most = sorted(tally.problems.items(), key=lambda one: -one[1].rows)
        rows = [
            (str(one.rows), kind, str(one.line), one.example) for kind, one in most[:_KINDS_SHOWN]
        ]
        heads = ("rows", "not read", "first in line", "which says")
        lines += [Line(""), Grid(heads, rows, frozenset({0, 2}))]
        if most[_KINDS_SHOWN:]:
            lines.append(
                Line(f"{len(most) - _KINDS_SHOWN} other kinds are not shown; --json has all.")
            )
    read = (name if name == label else f"{name} from {label}" for name, label in tally.read.items())
    lines += [Line(""), Line(f"Columns read: {', '.join(read)}.")]
    if tally.not_read:
        lines.append(Line(f"Columns not read: {', '.join(tally.not_read)}."))
    return [*lines, Line(""), Line(phrase("intended_use"), "dim")]


def _share(count: int, rows: int) -> str:
    return f"{100 * count / rows:.1f} %"


def _counts(tally: "Tally", guideline: Guideline) -> Mapping[str, int]:
    """Return how many rows have each disposition that any has, in the order of the vocabulary."""
    counts = tally.dispositions[guideline.id]
    return {code: counts[code] for code in Disposition.__args__ if counts[code]}  # type: ignore[attr-defined]


def _as_data(
    tally: "Tally", guidelines: tuple[Guideline, ...], *, file: str, output: str | None
) -> dict[str, Any]:
    """Return the summary as a program reads it."""
    return {
        "file": file,
        "output": output,
        "rows": tally.rows,
        "unreadable": tally.unreadable,
        "dispositions": {one.id: _counts(tally, one) for one in guidelines},
        "problems": [
            {"kind": kind, "rows": one.rows, "line": one.line, "example": one.example}
            for kind, one in tally.problems.items()
        ],
        "read": tally.read,
        "not_read": tally.not_read,
        "intended_use": phrase("intended_use"),
    }


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
    ),
)
