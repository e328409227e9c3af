"""Errors: one root, and a hint at the word that was meant."""

import pytest

from rlsiron.errors import (
    GuidelineError,
    PatientError,
    ReadingError,
    RlsironError,
    UnitError,
    did_you_mean,
    shown,
)

LEAVES = [UnitError, ReadingError, PatientError, GuidelineError]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_every_error_is_a_value_error_of_the_library(leaf: type[RlsironError]) -> None:
    """Design §4: `RlsironError(ValueError)` and leaves."""
    assert issubclass(leaf, RlsironError)
    assert issubclass(RlsironError, ValueError)


def test_a_patient_error_keeps_its_faults() -> None:
    """Each fault with its fields; the message joins the sentences."""
    faults = ((frozenset({"age"}), "age -3 is wrong"), (frozenset({"sex"}), "sex 'x' is wrong"))
    error = PatientError(*faults)
    assert error.faults == faults
    assert str(error) == "age -3 is wrong; sex 'x' is wrong"


HINTS = {
    "one letter short": ("feritin", "; did you mean 'ferritin'?"),
    "capitals": ("FERRITIN", "; did you mean 'ferritin'?"),
    "capitals in what is known": ("crp", "; did you mean 'CRP'?"),
    "nothing like it": ("zzz", "; known: ferritin, tsat, CRP"),
    "empty": ("", "; known: ferritin, tsat, CRP"),
}


@pytest.mark.parametrize(("word", "hint"), HINTS.values(), ids=HINTS)
def test_a_hint_names_the_closest_word_or_all(word: str, hint: str) -> None:
    """Style: `unknown analyte 'feritin'; did you mean 'ferritin'?`."""
    assert did_you_mean(word, ["ferritin", "tsat", "CRP"]) == hint


def test_a_hint_takes_any_iterable_once() -> None:
    """A generator is read once."""
    assert did_you_mean("zzz", (word for word in ("a1", "b2"))) == "; known: a1, b2"


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError


SHOWN: dict[str, tuple[object, str]] = {
    "a text": ("62 ng/mL", "'62 ng/mL'"),
    "a number": (62, "62"),
    "what cannot be shown": (Rude(), "<Rude>"),
}


@pytest.mark.parametrize(("given", "text"), SHOWN.values(), ids=SHOWN)
def test_a_value_is_shown_by_its_repr(given: object, text: str) -> None:
    """Style: what was wrong with the value in its `repr`; a stranger's may fail."""
    assert shown(given) == text


@pytest.mark.parametrize("given", ["9" * 10_000, list(range(10_000))], ids=["a text", "a list"])
def test_a_long_value_is_cut(given: object) -> None:
    """A message stays one line."""
    text = shown(given)
    assert len(text) == 60
    assert text.endswith("...")
