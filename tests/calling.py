"""How the tests call the command line: in this process, as one of its own, on a terminal."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from threading import Thread

import pytest
from typer.testing import CliRunner, Result

from rlsiron import cli

PLAIN = ("--ferritin", "62 ng/mL", "--tsat", "18 %", "--age", "44", "--sex", "female")
STOPPED = ("--ferritin", "0.5 ng/mL", "--tsat", "60 %", "--age", "44", "--sex", "female")


def run(*arguments: str) -> Result:
    """Run a call in this process."""
    with redirect_stdout(StringIO()):  # even where the tests run on a terminal
        app = cli.application()
    result = CliRunner().invoke(app, list(arguments), prog_name="rlsiron")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def command(*arguments: str) -> list[str]:
    """Return a call as a process of its own."""
    return [sys.executable, "-c", "from rlsiron.cli import main; main()", *arguments]


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a call as a process of its own, its output piped."""
    return subprocess.run(
        command(*arguments), capture_output=True, check=False, encoding="utf-8", timeout=60
    )


def status(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]) -> int:
    """Return the exit status of `main` in this process."""
    monkeypatch.setattr(sys, "argv", ["rlsiron", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert isinstance(end.value.code, int)
    return end.value.code


def on_terminal(
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    columns: int = 120,
    streams: Sequence[str] = ("stdout",),
) -> tuple[int, str]:
    """Return the exit status of a call, and what a terminal shows of it."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    there, here = pty.openpty()
    shown: list[bytes] = []
    reader = Thread(target=lambda: shown.extend(_read(there)))
    reader.start()
    with open(here, "w", encoding="utf-8") as screen:  # noqa: PTH123 - a descriptor, no path
        for name in streams:
            monkeypatch.setattr(sys, name, screen)
        code = status(monkeypatch, arguments)
        monkeypatch.undo()
    reader.join(timeout=60)
    os.close(there)
    return code, b"".join(shown).decode().replace("\r\n", "\n")


def _read(descriptor: int) -> Iterator[bytes]:
    try:
        while part := os.read(descriptor, 4096):
            yield part
    except OSError:  # how Linux ends a terminal
        return


def unstyled(text: str) -> str:
    """Return a text without the styles of a terminal."""
    from rich.text import Text

    return Text.from_ansi(text).plain


def examples(help_: str) -> list[str]:
    """Return the examples of a help."""
    lines = help_.partition("Examples:")[2].splitlines()
    return [line.strip() for line in lines if line.strip()]
