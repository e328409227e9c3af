"""Finds the files that a path, a folder or a pattern means, all of one kind."""

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from glob import glob
from pathlib import Path
from typing import Literal

from rlsiron.errors import RlsironError, did_you_mean

Kind = Literal["CSV", "Parquet"]

_SUFFIXES: dict[str, Kind] = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".parquet": "Parquet",
    ".pq": "Parquet",
}


def kind_of(path: Path) -> Kind:
    """Return what a file is by its name; what is not named as Parquet is CSV."""
    return _SUFFIXES.get(path.suffix.lower(), "CSV")


def files_of(given: Sequence[str]) -> tuple[tuple[Path, ...], Kind]:
    """Return the files that some paths, folders and patterns mean, in order, and their kind.

    In a folder, names that begin with a dot or an underscore are not read.

    Raises
    ------
    RlsironError
        If there are none, one is named twice, or not all are CSV or all Parquet.
    """
    files = [path for one in given for path in _meant(one)]
    met: dict[str, Path] = {}
    for path in files:
        before = met.setdefault(os.path.realpath(path), path)
        if before is not path:
            also = "" if before == path else f", also as {str(before)!r}"
            raise RlsironError(f"{str(path)!r} is named twice{also}; give it once")
    kinds = {kind_of(path): path for path in reversed(files)}
    if len(kinds) > 1:
        said = " and ".join(f"{str(path)!r} is {kind}" for kind, path in reversed(kinds.items()))
        raise RlsironError(f"{said}; answer them in separate calls")
    return tuple(files), next(iter(kinds))


def _meant(given: str) -> Iterable[Path]:
    path = Path(given)
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except (OSError, ValueError):  # no name of a file; opening it says why
        return [path]
    if is_folder:
        return _in_folder(path)
    if is_there:
        return [path]
    return _matching(given) if any(sign in given for sign in "*?[") else _refused(path)


def _in_folder(folder: Path) -> list[Path]:
    """Return the files of a folder, if nothing stands beside them that is not read."""
    entries = sorted(path for path in folder.iterdir() if path.name[0] not in "._")
    kinds = {_SUFFIXES[suffix] for path in entries if (suffix := path.suffix.lower()) in _SUFFIXES}
    if not kinds:
        found = (path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
        sample = next((path.suffix for path in found), ".csv")
        deeper = f"; folders in it are named by a pattern, such as '{folder}/*/*{sample}'"
        raise RlsironError(
            f"the folder {str(folder)!r} has no CSV or Parquet file"
            + (deeper if any(path.is_dir() for path in entries) else "; name another")
        )
    odd = [path for path in entries if path.is_dir() or path.suffix.lower() not in _SUFFIXES]
    what = min(kinds)
    if odd or len(kinds) > 1:
        beside = f"{odd[0].name!r} beside {what}" if odd else "CSV and Parquet"
        sample = next(path.suffix for path in entries if _is(path, what))
        raise RlsironError(
            f"the folder {str(folder)!r} holds {beside} files; say which to read, such as "
            f"'{folder}/*{sample}'"
        )
    return entries


def _is(path: Path, kind: str) -> bool:
    return _SUFFIXES.get(path.suffix.lower()) == kind


def _matching(pattern: str) -> list[Path]:
    found = sorted(Path(name) for name in glob(pattern, recursive=True))  # noqa: PTH207
    files = [path for path in found if path.is_file()]
    if files:
        return files
    folder = Path(pattern)
    while any(sign in str(folder) for sign in "*?["):
        folder = folder.parent
    if not folder.is_dir():
        raise RlsironError(f"no file matches {pattern!r}: there is no folder {str(folder)!r}")
    there = sorted(path.name for path in folder.iterdir() if path.is_file())
    meant = {str(folder / f"*{Path(name).suffix}") for name in there}
    hint = did_you_mean(pattern, sorted(meant)) if there else "; it has no file"
    raise RlsironError(f"no file matches {pattern!r} in the folder {str(folder)!r}{hint}")


def _refused(path: Path) -> list[Path]:
    if path.is_symlink():
        raise RlsironError(f"{str(path)!r} is a link to a file that is not there; mend the link")
    siblings = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    close = get_close_matches(path.name, siblings, n=1)
    hint = f"did you mean {str(path.parent / close[0])!r}?" if close else ""
    raise RlsironError(
        f"there is no file {str(path)!r}; {hint or 'give the path of a CSV or Parquet file'}"
    )
