"""Filling the sentences: placeholders, numbers, lists, options."""

import pytest

from rlsiron.wording import fill, inputs, listed, note, options, phrase, templates, word

FILLED: dict[str, tuple[str, dict[str, object], str]] = {
    "no placeholder": ("the ferritin", {}, "The ferritin"),
    "an empty text": ("", {}, ""),
    "a text": ("{says} again", {"says": "low"}, "Low again"),
    "a whole float": ("at {limit}", {"limit": 75.0}, "At 75"),
    "a float without its noise": ("{x} %", {"x": 0.1 + 0.2}, "0.3 %"),
    "an integer": ("{x} %", {"x": 3}, "3 %"),
    "one of a list": ("{names} not read", {"names": ["TSAT"]}, "TSAT not read"),
    "a list": ("{names} not read", {"names": ["iron", "TSAT"]}, "Iron and TSAT not read"),
    "a tuple of numbers": ("{x}", {"x": (1.0, 2.5, 3.0)}, "1, 2.5 and 3"),
    "a filling with braces": ("{says}", {"says": "{not} filled"}, "{not} filled"),
    "a filling that is not asked for": ("low", {"says": "x"}, "Low"),
    "nothing": ("from {x}", {"x": None}, "From None"),
    "a capital kept": ("TSAT {x}", {"x": "18 %"}, "TSAT 18 %"),
}


@pytest.mark.parametrize(("text", "filling", "filled"), FILLED.values(), ids=FILLED)
def test_a_text_is_filled(text: str, filling: dict[str, object], filled: str) -> None:
    """Numbers without noise, lists in prose, a capital first, and nothing filled twice."""
    assert fill(text, filling) == filled


def test_a_placeholder_that_is_not_filled_is_an_error() -> None:
    """A slip of ours, found by the tests and never shown."""
    with pytest.raises(KeyError):
        fill("{says}", {})


LISTS = {
    "none": ([], ""),
    "one": (["TSAT"], "TSAT"),
    "two": (["ferritin", "TSAT"], "ferritin and TSAT"),
    "three": (["ferritin", "TSAT", "the age"], "ferritin, TSAT and the age"),
}


@pytest.mark.parametrize(("words", "prose"), LISTS.values(), ids=LISTS)
def test_words_are_listed(words: list[str], prose: str) -> None:
    """With "and" before the last."""
    assert listed(words, "and") == prose


def test_options_and_inputs_are_in_words() -> None:
    """The codes of the vocabulary never stand in prose."""
    assert options(["oral-iron"]) == "oral iron"
    assert options([]) == ""
    assert options(["oral-iron", "iv-iron"]) == "oral iron or IV iron"
    assert inputs(["ferritin"], "or") == "ferritin"
    assert inputs(["tsat", "age", "drawn"], "and") == "TSAT, the age and the date of the draw"


def test_a_note_takes_sources_from_its_template_or_its_filling() -> None:
    """What fired the note knows better than the file."""
    plain = note("inflammation-contradicts-crp", crp="20 mg/L")
    assert (plain.sources, plain.verified) == (("rlsiron",), "convention")
    assert "20 mg/L" in plain.text
    own = note(
        "decision",
        title="AASM 2025",
        says=", adults: low",
        grounds="",
        sources=("aasm-2025",),
        verified="primary",
    )
    assert (own.sources, own.verified, own.category, own.severity) == (
        ("aasm-2025",),
        "primary",
        "decision",
        "info",
    )


def test_a_code_that_there_is_not_is_an_error() -> None:
    """A slip of ours, found by the tests and never shown."""
    with pytest.raises(KeyError):
        note("no-such-note")
    with pytest.raises(KeyError):
        word("disposition", "no-such-word")
    with pytest.raises(KeyError):
        phrase("no-such-phrase")


def test_the_intended_use_says_what_it_must() -> None:
    """Design §1: research and integration; not a device, not validated, not reviewed."""
    text = phrase("intended_use")
    for words in (
        "research",
        "integration by qualified parties",
        "medical device",
        "not clinically validated",
        "not reviewed by a clinician",
    ):
        assert words in text


@pytest.mark.parametrize("code", sorted(templates()))
def test_a_template_is_one_sentence_or_more(code: str) -> None:
    """It ends as a sentence does, has no double space, and its braces close."""
    text = templates()[code].text
    assert text.endswith(".")
    assert "  " not in text
    assert text.count("{") == text.count("}")
