"""What commands print: lines and tables, set on a terminal, plain in a pipe."""

import re
import sys
from collections.abc import Iterator, Sequence
from json import dumps
from typing import NamedTuple, TextIO

_WAYS_OUT = (
    (r"declare decimal='(.)'", r"declare --decimal \1"),
    (r"for a column declare units=\{'(\w+)': '([^']+)'\}", r"for a column of a table --unit \1=\2"),
    (r"declare units=\{'(\w+)': '([^']+)'\}", r"say --unit \1=\2"),
    (
        r"column ('.*') is not read; did you mean '(\w+)'\? rename it, name it in columns=,",
        r"column \1 is not read; did you mean '\2'? rename it, say --column \2=\1,",
    ),
    (r"or use columns=", "or say --column ferritin=NAME"),
    (r"\bunits= names", "--unit names"),
    (r"\bcolumns= (names|gives)", r"--column \1"),
)


class Line(NamedTuple):
    """A line of an answer, and its style on a terminal."""

    text: str
    style: str = ""


class Grid(NamedTuple):
    """A table of texts; `numbers` are the columns that are set to the right."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers: frozenset[int] = frozenset()


Answer = Sequence[Line | Grid] | str
"""Lines and tables to set on a terminal, or a text to print as it is."""


def on_the_command_line(sentence: str) -> str:
    """Return a sentence with its way out as one says it on the command line.

    Examples
    --------
    >>> on_the_command_line("ferritin '75,3' has a comma; declare decimal=','")
    "ferritin '75,3' has a comma; declare --decimal ,"
    """
    for in_python, here in _WAYS_OUT:
        sentence = re.sub(in_python, here, sentence)
    return sentence


def write(answer: Answer, stream: TextIO | None = None) -> None:
    """Write plain text into a pipe, styled text wrapped at words on a terminal."""
    stream = stream or sys.stdout
    if isinstance(answer, str) or not stream.isatty():
        stream.writelines(f"{line}\n" for line in _plain(answer))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    for part in answer:
        if isinstance(part, Line):
            console.print(Text(part.text, part.style))
            continue
        table = Table(box=SIMPLE_HEAD)
        for at, head in enumerate(part.heads):
            justify = "right" if at in part.numbers else "left"
            table.add_column(Text(head), justify=justify, overflow="fold")  # type: ignore[arg-type]
        for row in part.rows:
            table.add_row(*map(Text, row))
        console.print(table)


def _plain(answer: Answer) -> Iterator[str]:
    for part in [answer] if isinstance(answer, str) else answer:
        if isinstance(part, Grid):
            yield from _aligned(part)
        else:
            yield part if isinstance(part, str) else part.text


def _aligned(grid: Grid) -> Iterator[str]:
    rows = [grid.heads, *grid.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if at in grid.numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def json_text(data: object, stream: TextIO | None = None) -> str:
    """Return JSON for a stream."""
    return dumps(data, indent=2, ensure_ascii=is_ascii(stream))


def is_ascii(stream: TextIO | None = None) -> bool:
    """Whether JSON keeps to ASCII, since the output does not speak Unicode."""
    return not ((stream or sys.stdout).encoding or "").lower().startswith("utf")
