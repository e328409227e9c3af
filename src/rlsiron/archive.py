"""Answers the rows of one file or of many: into a stream, into one file, or into parts."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlsiron import parts
from rlsiron.errors import RlsironError
from rlsiron.file_answers import (
    Asked,
    Batch,
    Format,
    Plan,
    Sink,
    Source,
    answer_rows,
    planned,
    refuse_bare_numbers,
)
from rlsiron.tally import Tally
from rlsiron.whole_file import written_whole

Told = Callable[[int, int], None]
"""Is told how many rows were answered, and how much of all the input is read."""


@dataclass(slots=True)
class Done:
    """What was done.

    Attributes
    ----------
    plan
        What was read and written.
    tally
        What was answered.
    parts, parts_before
        How many parts there are, and how many of them were there before.
    """

    plan: Plan
    tally: Tally = field(default_factory=Tally)
    parts: int = 0
    parts_before: int = 0


class Archive:
    """Files of one kind and the same columns, whose rows are answered in their order.

    Attributes
    ----------
    size
        How much there is to read: rows or bytes, as the format counts.
    """

    def __init__(self, files: Sequence[Path], format_: Format, asked: Asked, told: Told) -> None:
        self._files = files
        self._format = format_
        self._asked = asked
        self._told = told
        self._done: Done | None = None
        self._parts: list[Path] = []
        self._read = 0
        for path in files[1:] and files:
            if not path.is_file():  # such as a pipe, of which what is looked at is gone
                raise RlsironError(
                    f"{str(path)!r} is read once only; make it a file, or give it alone"
                )
        self.size = self._checked() if files[1:] else 0

    def _checked(self) -> int:
        """Return how much there is to read, if every file has the columns of the first."""
        size, first = 0, None
        for path in self._files:
            with self._format.opened(path) as source:
                refuse_other_columns(source, first or source)
                first = first or source
                size += source.size
        return size

    def to_stream(self, stream: Any) -> Done:  # noqa: ANN401 - of bytes, or of text
        """Write all rows with their answers, and return what was done."""
        with ExitStack() as stack:
            sink = None
            for source in self._sources():
                done = self._of(source)
                sink = sink or stack.enter_context(
                    self._format.sink(stream, source, done.plan.answer)
                )
                rest = _Rest(source.batches())
                _look_at_first(done, rest)
                done.tally.add(self._answered(done, source, rest.taken(), sink))
        return self._whole()

    def to_file(self, path: Path) -> Done:
        """Write a file that is there when it is whole."""
        with written_whole(path) as stream:
            return self.to_stream(stream)

    def to_parts(self, folder: Path, rows: int, call: Mapping[str, Any]) -> Done:
        """Write parts of so many rows, but for those that are there; a part has one input."""
        with parts.opened(folder, {**call, "the input": self._inputs()}) as held:
            for number, source in enumerate(self._sources(), 1):
                self._part_after_part(held, source, rows, f"part-{number:05}")
            return self._whole()

    def join(self, path: Path) -> None:
        """Write the parts that were made as one file."""
        with written_whole(path) as stream:
            self._format.join(self._parts, stream)

    def _part_after_part(self, held: parts.Parts, source: Source, size: int, name: str) -> None:
        done, rest, at, number, last = self._of(source), None, 0, 0, False
        while not last:
            number += 1
            part = f"{name}-{number:05}{self._format.suffix}"
            whole = held.whole(part)
            if whole:
                tally, last = Tally.of_data(whole.tally), whole.last
                done.parts_before += 1
                if rest:
                    rest.pass_over(tally.rows)
                self._told(tally.rows, self._read + source.position)
            else:
                rest = rest or _Rest(source.batches(skip=at))
                if rest.is_empty():
                    return
                _look_at_first(done, rest)
                with (
                    held.written(part) as stream,
                    self._format.sink(stream, source, done.plan.answer) as sink,
                ):
                    tally = self._answered(done, source, rest.taken(size), sink)
                    last = rest.is_empty()
                held.keep(part, last=last, tally=tally.as_data())
            at += tally.rows
            done.parts += 1
            self._parts.append(held.folder / part)
            done.tally.add(tally)

    def _sources(self) -> Iterator[Source]:
        for path in self._files:
            with self._format.opened(path) as source:
                self.size = self.size or source.size
                yield source
                self._read += source.size

    def _of(self, source: Source) -> Done:
        if self._done is None:
            self._done = Done(planned(source.labels, self._asked))
        return self._done

    def _answered(self, done: Done, source: Source, batches: Iterable[Batch], sink: Sink) -> Tally:
        """Write rows with their answers, and return the tally."""

        def told(rows: int) -> None:
            self._told(rows, self._read + source.position)

        return answer_rows(done.plan, source, batches, sink, told=told)

    def _whole(self) -> Done:
        """Return what was done, if anything was."""
        if self._done is None or not self._done.tally.rows:
            name = str(self._files[0])
            raise RlsironError(f"{name!r} has columns and no row; give it rows")
        return self._done

    def _inputs(self) -> list[list[Any]]:
        """Return what tells inputs from others, or from what they were before."""
        known = ((path.absolute(), path.stat()) for path in self._files)
        return [[str(path), about.st_size, about.st_mtime_ns] for path, about in known]


class _Rest:
    """Batches of which some rows were taken."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches = iter(batches)
        self._next: Batch | None = None

    def next(self) -> Batch | None:
        """Return the next batch without taking it, or None if no row is left."""
        if self._next is None:
            self._next = next(self._batches, None)
        return self._next

    def is_empty(self) -> bool:
        """Whether no row is left."""
        return self.next() is None

    def pass_over(self, rows: int) -> None:
        """Leave out so many rows."""
        for _ in self.taken(rows):
            pass

    def taken(self, rows: int = sys.maxsize) -> Iterator[Batch]:
        """Yield so many rows, or as many as are left."""
        while rows and (batch := self.next()) is not None:
            self._next = batch[rows:] if len(batch) > rows else None
            some = batch[:rows] if self._next else batch
            rows -= len(some)
            yield some


def _look_at_first(done: Done, rest: _Rest) -> None:
    """Refuse a call by the first rows of the table."""
    first = None if done.tally.rows else rest.next()
    if first is not None:
        refuse_bare_numbers(done.plan, first)


def refuse_other_columns(source: Source, first: Source) -> None:
    """Refuse a file that has not the columns of the first one."""
    apart = "; answer them in separate calls, or write them alike"
    for one, other in ((first, source), (source, first)):
        for label in one.labels:
            if label not in other.labels:
                raise RlsironError(
                    f"{other.name} has no column {label!r}, which {one.name} has{apart}"
                )
    if source.labels != first.labels:
        raise RlsironError(f"{source.name} has the columns of {first.name} in another order{apart}")
    for label, kind, before in zip(source.labels, source.types, first.types, strict=True):
        if kind != before:
            raise RlsironError(
                f"column {label!r} is {before} in {first.name} and {kind} in {source.name}{apart}"
            )
