"""What commands print: plain and aligned in a pipe, a way out in words of the command line."""

from io import StringIO, TextIOWrapper

import pandas as pd
import pytest

from rlsiron.errors import UnitError
from rlsiron.frames import interpret_frame
from rlsiron.reading import read_result
from rlsiron.report import Grid, Line, is_ascii, json_text, on_the_command_line, write

GRID = Grid(("name", "rows", "note"), [("a", "10", ""), ("µg", "9", "x")], frozenset({1}))


def test_a_table_is_aligned_in_a_pipe() -> None:
    stream = StringIO()
    write([Line("First.", "bold"), GRID, Line("")], stream)
    assert stream.getvalue() == "First.\nname  rows  note\na       10\nµg       9  x\n\n"


def test_a_text_is_printed_as_it_is() -> None:
    stream = StringIO()
    write("{}", stream)
    assert stream.getvalue() == "{}\n"


def test_a_way_out_is_said_in_options() -> None:
    with pytest.raises(UnitError) as error:
        read_result("ferritin", "62")
    assert on_the_command_line(str(error.value)) == (
        "ferritin '62' has no unit; write '62 ng/mL', or for a column of a table --unit "
        "ferritin=ng/mL"
    )


def test_a_unit_of_a_whole_column_is_declared_by_an_option() -> None:
    with pytest.raises(UnitError) as error:
        interpret_frame(pd.DataFrame({"ferritin": [62.0]}))
    assert on_the_command_line(str(error.value)) == (
        "ferritin is a column of numbers with no unit; say --unit ferritin=ng/mL, or give a column "
        "'ferritin_unit'"
    )


@pytest.mark.parametrize(("encoding", "ascii_"), [("ascii", True), ("utf-8", False)])
def test_json_keeps_to_what_its_stream_speaks(encoding: str, ascii_: bool) -> None:  # noqa: FBT001
    from io import BytesIO

    stream = TextIOWrapper(BytesIO(), encoding=encoding)
    assert is_ascii(stream) is ascii_
    assert json_text("µ", stream) == ('"\\u00b5"' if ascii_ else '"µ"')
