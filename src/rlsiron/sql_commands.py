"""The command that prints a guideline for a warehouse: `guideline sql`."""

from collections.abc import Iterator
from inspect import Parameter

from rlsiron.catalog import guideline_ids
from rlsiron.command import DONE, Command, argument, as_json, option, verified_only
from rlsiron.errors import RlsironError
from rlsiron.guideline_commands import found
from rlsiron.report import json_text, write
from rlsiron.wording import listed

_HELP = (
    "Print a guideline, and the safety layer over it, as one SQL query.\n\n"
    "The query reads a table or view with a row for each draw. Its first lines list the columns: "
    "ferritin and TSAT as `rlsiron table` prints them, the patient's fields with the words of "
    "`interpret`, and of each event how many days before the draw it was. NULL is not known; what "
    "cannot be read stays open, and the column `unread` names it.\n\n"
    "It says of each row what `rlsiron table` says in the columns of the guideline. Tested in "
    "DuckDB, PostgreSQL, Spark and SQLite."
)


def _options() -> Iterator[Parameter]:
    yield argument("name", f"{listed(guideline_ids(), 'or')}, or a file.")
    yield option(
        "dialect",
        str,
        "--dialect",
        default="duckdb",
        metavar="NAME",
        help="duckdb, postgres, spark or sqlite, or another dialect of sqlglot, which is not "
        "tested.",
    )
    yield option(
        "source",
        str,
        "--from",
        default="draws",
        metavar="TABLE",
        help="The table or view that is read.",
    )
    yield option(
        "keys",
        list[str],
        "--key",
        metavar="COLUMN",
        help="A column that tells a draw, carried into the answer. Repeatable. "
        "If not given: draw_id.",
    )
    yield verified_only()
    yield as_json(about="Print JSON, with the columns that are read.")


def _sql(
    *, name: str, dialect: str, source: str, keys: list[str] | None, strict: bool, json: bool
) -> int:
    try:
        from rlsiron.sql import canonical_columns, guideline_sql  # with numpy and sqlglot
    except ModuleNotFoundError as missing:
        raise RlsironError(str(missing)) from None
    guideline = found(name)
    query = guideline_sql(
        guideline,
        dialect=dialect,
        source=source,
        keys=tuple(keys or ("draw_id",)),
        strict=strict,
    )
    if json:
        columns = [one._asdict() for one in canonical_columns(guideline)]
        told = {"guideline": guideline.id, "dialect": dialect, "columns": columns, "query": query}
        write(json_text(told))
    else:
        write(query.rstrip("\n"))
    return DONE


SQL = Command(
    "guideline sql",
    _HELP,
    _sql,
    _options,
    examples=(
        "rlsiron guideline sql aasm-2025 --dialect postgres",
        "rlsiron guideline sql our-clinic.toml --from lab.draws --key patient --key drawn",
        "rlsiron guideline sql irlssg-2018 --verified-only --json",
    ),
)
