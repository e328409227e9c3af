"""What a command is, and the options that several of them have."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import Parameter, signature
from shutil import get_terminal_size
from textwrap import fill
from typing import Any, get_args

from rlsiron import interpretation
from rlsiron.catalog import guideline_ids
from rlsiron.wording import listed

DONE = 0
UNREADABLE = 1
WRONG = 2

_WIDE = 100  # columns, under which typer's help on a terminal cuts words
_HELP_WIDTH = 46  # columns of the text on an option in the plain help

ASKED = signature(interpretation.interpret).parameters
"""The arguments of the function, whose types and defaults the options take over."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    Attributes
    ----------
    name, about
        Its name, behind that of its group where it is in one, and its help.
    run
        What it does: the options in, the exit status out, its answer written.
    parameters
        Its arguments and options, for typer.
    examples
        Calls that its help shows.
    takes_value
        Whether one of its arguments is a value, and may look negative.
    """

    name: str
    about: str
    run: Callable[..., int]
    parameters: Callable[[], Iterator[Parameter]]
    examples: tuple[str, ...] = ()
    takes_value: bool = False


def panels() -> bool:
    """Whether the help is set in panels; else it is plain, and its order groups the options."""
    return sys.stdout.isatty() and get_terminal_size().columns >= _WIDE


def option(name: str, kind: Any, *flags: str, default: Any = None, **more: Any) -> Parameter:  # noqa: ANN401 - a type, and its default
    """Return an option; `more` is what typer asks of one."""
    import typer

    if "metavar" not in more and bool in (kind, *get_args(kind)):
        more["metavar"] = ""  # a flag takes no value
    more["help"] = _set(more["help"])
    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=typer.Option(default, *flags, **more),
        annotation=kind,
    )


def _set(text: str) -> str:
    """Return a text on an option with its lines set, so that no line ends within a word."""
    plain = not panels() and len(text) > _HELP_WIDTH
    return "\b\n" + fill(text, _HELP_WIDTH, break_on_hyphens=False) if plain else text


def argument(name: str, about: str) -> Parameter:
    """Return an argument."""
    import typer

    told = typer.Argument(help=_set(about), metavar=name.upper())
    return Parameter(name, Parameter.KEYWORD_ONLY, default=told, annotation=str)


def several(name: str, about: str) -> Parameter:
    """Return an argument of which there is one or more."""
    import typer

    told = typer.Argument(help=_set(about), metavar=f"{name.upper()}...")
    return Parameter(name, Parameter.KEYWORD_ONLY, default=told, annotation=list[str])


def choice(name: str, about: str, panel: str | None = None) -> Parameter:
    """Return the option of an argument of `interpret` with a few words."""
    told = ASKED[name]
    return option(name, told.annotation, default=told.default, help=about, rich_help_panel=panel)


def decimal_sign(panel: str | None = None) -> Parameter:
    """Return the option that declares the decimal sign."""
    return choice("decimal", "The decimal sign.", panel)


def as_json(panel: str | None = None, about: str = "Print JSON.") -> Parameter:
    """Return the option for what a program reads."""
    return option("json", bool, "--json", default=False, help=about, rich_help_panel=panel)


def guidelines(panel: str | None = None) -> Iterator[Parameter]:
    """Yield the options that choose the guidelines, and how they are read."""
    yield option(
        "guidelines",
        list[str],
        "--guideline",
        metavar="NAME",
        help=f"{listed(guideline_ids(), 'or')}, or a file. Repeatable; the first leads. "
        f"If not given: {listed(interpretation.DEFAULT_GUIDELINES, 'and')}.",
        rich_help_panel=panel,
    )
    yield verified_only(panel)


def verified_only(panel: str | None = None) -> Parameter:
    """Return the option that leaves unverified rules out."""
    return option(
        "strict",
        bool,
        "--verified-only",
        default=ASKED["strict"].default,
        help="Leave out unverified rules that give iron.",
        rich_help_panel=panel,
    )
