"""A folder of parts that a killed run can go on with: which of them are whole, and of which call.

The record `_rlsiron.jsonl` has a line for the call, and one for each part that is in place. It is
only ever added to, so a kill can leave no more than its last line unfinished, which then counts
for nothing: its part is written again.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rlsiron.errors import RlsironError, shown
from rlsiron.whole_file import settled, written_whole

RECORD = "_rlsiron.jsonl"


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is in place.

    Attributes
    ----------
    name, size
        The name of its file, and its bytes.
    last
        Whether it is the last one of its input.
    tally
        What was counted in it.
    """

    name: str
    size: int
    last: bool
    tally: dict[str, Any]


class Parts:
    """The parts of a folder, held by this process alone."""

    def __init__(self, folder: Path, record: BinaryIO, parts: Mapping[str, Part]) -> None:
        self.folder = folder
        self._record = record
        self._parts = dict(parts)

    def whole(self, name: str) -> Part | None:
        """Return a part if it is in place as it was written."""
        part, path = self._parts.get(name), self.folder / name
        there = part is not None and path.is_file() and path.stat().st_size == part.size
        return part if there else None

    @contextmanager
    def written(self, name: str) -> Iterator[BinaryIO]:
        """Give the stream of a part, which is in place when it is whole; then `keep` it."""
        with written_whole(self.folder / name) as stream:
            yield stream

    def keep(self, name: str, *, last: bool, tally: dict[str, Any]) -> None:
        """Record a part that is in place."""
        part = Part(name, (self.folder / name).stat().st_size, last, tally)
        _add(self._record, asdict(part))


@contextmanager
def opened(folder: Path, call: Mapping[str, Any]) -> Iterator[Parts]:
    """Open the folder of the parts of a call, made if it is not there.

    Parameters
    ----------
    folder
        Where it is.
    call
        What makes parts belong together: each option and input, by the name that one knows it by.

    Raises
    ------
    RlsironError
        If it holds parts of another call, or other files, or another process writes to it.
    """
    name = repr(str(folder))
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        raise RlsironError(
            f"there is no folder {str(folder.parent)!r} for the parts; make it first"
        ) from None
    except FileExistsError:
        raise RlsironError(f"{name} is a file; name a folder for the parts") from None
    try:
        held = {path.name for path in folder.iterdir() if path.name[0] != "."} - {RECORD}
        if held and not (folder / RECORD).is_file():
            raise RlsironError(
                f"the folder {name} holds other files, such as {min(held)!r}; name a new one"
            )
        with (folder / RECORD).open("a+b") as record:
            _hold(record, name)
            before, parts = _recorded(record, name)
            if held:
                _refuse_another(before, json.loads(json.dumps(call)), name)
            else:  # new, or of a call that wrote nothing, such as one that was refused
                record.truncate(0)
                _add(record, {"call": call})
                settled(folder)
            for left in folder.glob(".*.part"):  # by a process that was killed
                left.unlink()
            yield Parts(folder, record, parts)
    except OSError as fault:
        raise RlsironError(
            f"the folder {name} cannot be written: {fault.strerror or fault}; the parts in it are "
            "whole, and the same call goes on with them"
        ) from None


def _hold(record: BinaryIO, folder: str) -> None:
    """Hold the folder until the record is closed, or this process ends in any way."""
    with suppress(ModuleNotFoundError):  # Windows has no such locks: there nothing is held
        import fcntl

        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RlsironError(
                f"another process writes parts to the folder {folder}; wait for it, or name "
                "another folder"
            ) from None


def _recorded(record: BinaryIO, folder: str) -> tuple[dict[str, Any], dict[str, Part]]:
    """Return the call of a record, and its parts; a line that was not finished is cut off."""
    record.seek(0)
    text = record.read()
    whole = text[: text.rfind(b"\n") + 1]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
        call = lines[0]["call"] if lines else {}
        parts = [Part(**line) for line in lines[1:]]
    except (ValueError, LookupError, TypeError):
        raise RlsironError(_damaged(folder)) from None
    record.truncate(len(whole))
    return call, {part.name: part for part in parts}


def _damaged(folder: str) -> str:
    return (
        f"the record {RECORD} of the folder {folder} is damaged, so that which parts are whole is "
        "not known; name another folder"
    )


def _add(record: BinaryIO, line: Mapping[str, Any]) -> None:
    record.write(json.dumps(line).encode() + b"\n")
    record.flush()
    os.fsync(record.fileno())


def _refuse_another(before: Mapping[str, Any], now: Mapping[str, Any], folder: str) -> None:
    """Refuse a call whose parts must not stand beside those that are there."""
    if not before:
        raise RlsironError(_damaged(folder))
    for what in {**before, **now}:
        if before.get(what) != now.get(what):
            was, is_ = _differing(before.get(what), now.get(what))
            if isinstance(was, list) and isinstance(is_, list) and was[0] == is_[0]:
                raise RlsironError(
                    f"{shown(was[0])} was changed since the parts of the folder {folder} were "
                    "written, as its size or its time tells; name another folder"
                )
            raise RlsironError(
                f"the folder {folder} has parts of another call: {what} was {_short(was)}, and is "
                f"{_short(is_)}; call as before to go on with it, or name another folder"
            )


def _differing(before: Any, now: Any) -> tuple[Any, Any]:  # noqa: ANN401 - as a call has them
    """Return two values; of lists the first members that differ."""
    if isinstance(before, list) and isinstance(now, list):
        pairs = zip([*before, None], [*now, None], strict=False)
        return next((was, is_) for was, is_ in pairs if was != is_)
    return before, now


def _short(value: object) -> str:
    """Return a value as it is shown; of an input its path."""
    return shown(value[0] if isinstance(value, list) else value)
