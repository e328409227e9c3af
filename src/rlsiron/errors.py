"""What can go wrong, as exceptions that show the value and the way out."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 60  # characters of a value in a message


class RlsironError(ValueError):
    """The root of every error that the library raises on purpose."""


class UnitError(RlsironError):
    """A unit is missing, unknown, or not one in which the analyte is reported."""


class ReadingError(RlsironError):
    """A reported value cannot be read."""


class PatientError(RlsironError):
    """A field of the patient or of the draw is unknown, impossible or contradicts another.

    Attributes
    ----------
    faults
        For each fault, the fields at fault and a sentence.
    """

    def __init__(self, *faults: tuple[frozenset[str], str]) -> None:
        super().__init__("; ".join(text for _, text in faults))
        self.faults = faults


class GuidelineError(RlsironError):
    """A knowledge file is faulty, or a guideline is not known."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the known word closest to a given one.

    Parameters
    ----------
    word
        What was given.
    known
        The words that would have been right.

    Returns
    -------
    str
        ``"; did you mean '...'?"`` where one is close, else ``"; known: ..."``.

    Examples
    --------
    >>> did_you_mean("feritin", ["ferritin", "tsat"])
    "; did you mean 'ferritin'?"
    >>> did_you_mean("x", ["ferritin", "tsat"])
    '; known: ferritin, tsat'
    """
    words = list(known)
    folded = {candidate.casefold(): candidate for candidate in words}
    close = get_close_matches(str(word).strip("'\"").casefold(), folded, n=1)
    if close:
        return f"; did you mean {folded[close[0]]!r}?"
    return f"; known: {', '.join(words)}"


def shown(given: object) -> str:
    """Return how a value is shown in a message: its `repr`, cut where it is long.

    Examples
    --------
    >>> shown("62 ng/mL")
    "'62 ng/mL'"
    """
    try:
        text = repr(given[: _SHOWN + 1] if isinstance(given, str) else given)
    except Exception:  # noqa: BLE001 - a stranger's `repr` may do anything
        text = f"<{type(given).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
