"""What is told in the columns of a row, as SQL: numbers, words, events, and the facts made of them.

SQL's three values of truth are those of a fact: what is open is NULL. What a word means, and what
is assumed where nothing is told, is asked of `rlsiron.facts`, not said again here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from itertools import combinations, product
from math import inf, nextafter
from typing import Any

from rlsiron import units
from rlsiron.decision import INPUTS
from rlsiron.facts import assumed, cuts, situation
from rlsiron.grammar import Parameters, groups, vocabulary
from rlsiron.guideline import Fact, Window
from rlsiron.models import CONDITIONS
from rlsiron.panel import assemble
from rlsiron.patient import EVENTS, OLDEST, read_patient

try:
    from sqlglot import Dialects, exp
except ModuleNotFoundError as missing:
    text = "a query is written by sqlglot, which is not installed; pip install 'rlsiron[sql]'"
    raise ModuleNotFoundError(text) from missing

__all__ = ["Dialects", "exp"]  # by way of the sentence above

Term = Any
"""A condition or a value of sqlglot, whose own types do not tell which."""

UNREAD = "?"  # what stands for a word that must not be read
YES_NO = {True: "yes", False: "no"}
_DAY = timedelta(days=1)
INWARD = 0.5 / units.GRID  # where an open end is: between two steps of the grid
_ROUNDING = 2.0**52
_FINITE = 1e300


def number(value: float) -> Term:
    """Return a number; one of more digits than a decimal takes without loss as a binary float."""
    digits = repr(value)
    longest = 15
    is_short = "e" in digits or len(digits.replace(".", "").lstrip("0")) <= longest
    return exp.Literal.number(digits if is_short else f"{digits}e0")


def string(text: str) -> Term:
    """Return a text."""
    return exp.Literal.string(text)


def plain(name: str) -> str:
    """Return a name as the name of a column may be."""
    return re.sub(r"\W+", "_", name)


def column(name: str) -> Term:
    """Return a column that an earlier step made."""
    return exp.column(name)


def chosen(ways: Iterable[tuple[Term, Term]], otherwise: Term | None = None) -> Term:
    """Return the value of the first condition that holds."""
    case = exp.Case()
    for condition, value in ways:
        case = case.when(condition, value)
    if otherwise is not None:
        case = case.else_(otherwise)
    return case


def either(*terms: Term) -> Term:
    """Return whether one of some conditions holds; none of none."""
    return exp.or_(*terms) if terms else exp.false()


def among(term: Term, words: Iterable[str]) -> Term:
    """Return whether a text is one of some words."""
    return term.isin(*map(string, words))


def reaches(term: Term, edge: float) -> Term:
    """Return whether a number lies at or over an edge, by the limit that is printed there."""
    below = nextafter(edge, -inf)
    if len(repr(below)) < len(repr(edge)):  # the edge is the next float over the limit
        return term > number(below)
    return term >= number(edge)


def read_number(given: Term, *, dialect: str) -> Term:
    """Return a number on the grid, NULL where there is none, and -1 for one out of all range."""
    if dialect == "sqlite":  # whose columns hold texts beside numbers, and a cast cuts them
        kind = exp.func("TYPEOF", given.copy())
        text = exp.not_(among(kind, ("integer", "real", "null")))
        return chosen([(text, number(-1))], _settled(given))
    return _settled(exp.cast(given, "double"))


def _settled(given: Term) -> Term:
    # in 64-bit floats, adding 2**52 and taking it away rounds as `settle` does, in every dialect
    grid = given.copy() * number(units.GRID) + number(_ROUNDING) - number(_ROUNDING)
    return chosen(
        [
            (_between(given, 0.0, units.LARGEST + 1), exp.paren(grid) / number(units.GRID)),
            (_between(given, -_FINITE, _FINITE), number(-1)),  # NaN is not among these
        ]
    )


def _between(term: Term, low: float, high: float) -> Term:
    return exp.and_(term.copy() >= number(low), term.copy() <= number(high))


def read_days(given: Term, *, dialect: str) -> Term:
    """Return a number as it is, NULL where there is none, and -1 for a text."""
    ways = []
    if dialect == "sqlite":
        text = exp.not_(among(exp.func("TYPEOF", given.copy()), ("integer", "real", "null")))
        ways.append((text, number(-1)))
    else:
        given = exp.cast(given, "double")
    return chosen([*ways, (_between(given, -_FINITE, _FINITE), given.copy())])


@cache
def meanings(field: str) -> Mapping[str | None, frozenset[Any]]:
    """Return what each word of a field leaves possible, None what it is where nothing is told."""
    words: dict[str | None, Any] = {w: w for f, w in groups() if f == field}
    if field not in vocabulary():
        words = {word: value for value, word in YES_NO.items()}
    found: dict[str | None, frozenset[Any]] = {}
    for word, value in {None: None, UNREAD: UNREAD, **words}.items():
        told = read_patient({field: value}, errors="note")
        if word in {None, UNREAD} or not told.problems:
            found[word] = situation(told, assemble({}, told)[0])[field]
    return found


@cache
def contradictions() -> tuple[tuple[str, str, str, str], ...]:
    """Return the words of two fields that cannot both be right: neither is read."""
    fields = [field for field in vocabulary() if field != "conditions"]
    return tuple(
        (one, word, other, word_too)
        for one, other in combinations(fields, 2)
        for word, word_too in product(_words(one), _words(other))
        if read_patient({one: word, other: word_too}, errors="note").unread
    )


def _words(field: str) -> list[str]:
    return [word for word in meanings(field) if word and word != UNREAD]


def read_word(field: str) -> Term:
    """Return the word of a field as text; of yes and no, "yes" and "no"."""
    given = column(field)
    if field not in vocabulary():
        return chosen(
            [
                (given.eq(exp.true()), string("yes")),
                (given.eq(exp.false()), string("no")),
                (is_told(given), string(UNREAD)),
            ]
        )
    text = exp.cast(given, "text")
    clashes: dict[tuple[str, str, str], list[str]] = {}
    for one, word, other, also in contradictions():
        if field in {one, other}:
            clashes.setdefault((one, word, other), []).append(also)
    unread = [
        exp.and_(
            exp.cast(column(one), "text").eq(word), among(exp.cast(column(other), "text"), also)
        )
        for (one, word, other), also in clashes.items()
    ]
    known = chosen(
        [(among(text, _words(field)), text.copy()), (is_told(text), string(UNREAD))], exp.null()
    )
    return chosen([(exp.or_(*unread), string(UNREAD))], known) if unread else known


def is_told(term: Term) -> Term:
    """Return whether there is a value."""
    return exp.not_(term.copy().is_(exp.null()))


def read_conditions() -> Iterator[tuple[str, Term]]:
    """Yield the codes, each between two spaces of its own, and what is left of them, unknown."""
    given = exp.cast(column("conditions"), "text")
    some = given.neq("")  # not so of none, either
    spaced = exp.func("REPLACE", given.copy(), string(" "), string("  "))
    codes = exp.DPipe(this=exp.DPipe(this=string(" "), expression=spaced), expression=string(" "))
    yield "told_conditions", chosen([(some, codes)])
    rest: Term = codes.copy()
    for code in CONDITIONS:
        rest = exp.func("REPLACE", rest, string(f" {code} "), string(""))
    yield "unknown_conditions", chosen([(some, exp.func("TRIM", rest).neq(""))], exp.false())


# The names below are columns that `rlsiron.sql_rows` makes in its steps.


def hides(window: Window) -> Term:
    """Return whether a window hides results whatever the date of the draw is."""
    return exp.or_(column(f"unread_{window.after}"), _days_under(window.after, window.lasts))


def _days_under(event: str, lasts: timedelta) -> Term:
    return exp.func("COALESCE", column(f"days_{event}") < number(lasts / _DAY), exp.false())


def fact_term(fact: Fact, fixed: Mapping[str, Any] | None = None) -> Term:
    """Return whether a fact holds; NULL where that is open.

    Parameters
    ----------
    fact
        Of any of whose ways all limbs must hold.
    fixed
        What a field is taken to be in place of what was told.
    """
    ways = [
        exp.and_(*(_limb(name, allowed, fixed or {}) for name, allowed in way)) for way in fact.any
    ]
    return _gated(fact, exp.or_(*ways))


def _gated(fact: Fact, holds: Term) -> Term:
    """Return a fact as it is where nothing is told from which it is made."""
    if fact.open_without in units.analytes():
        return chosen([(column(f"given_{fact.open_without}"), holds)], exp.null())
    if fact.open_without:  # its words are all open where none is told
        return holds
    fields = {name for way in fact.any for name, _ in way}
    if fields <= {*assumed(), *units.analytes()}:  # then what is assumed says no
        return holds
    untold = [column(f"told_{name}").is_(exp.null()) for name in sorted(fields)]
    return chosen([(exp.and_(*untold), exp.false())], holds)


def _limb(name: str, allowed: Any, fixed: Mapping[str, Any]) -> Term:  # noqa: ANN401 - as of a fact
    """Return whether one limb of a fact holds."""
    if name in EVENTS:
        return _event(name, allowed)
    if name == "conditions":
        codes = column("told_conditions")
        named = exp.or_(*(codes.like(f"% {code} %") for code in sorted(allowed)))
        unknown = column("unknown_conditions")
        return chosen([(named, exp.true()), (unknown.copy(), exp.null())], exp.false())
    if isinstance(allowed, frozenset):
        return _known(fixed[name] in allowed) if name in fixed else _word(name, allowed)
    if name in fixed:
        return _known(allowed[0] <= fixed[name] <= allowed[1])
    return _interval(name, allowed)


def _known(holds: bool) -> Term:  # noqa: FBT001 - what it is about
    return exp.true() if holds else exp.false()


def _event(name: str, allowed: timedelta | str) -> Term:
    ways = [(column(f"unread_{name}"), exp.null())]
    if isinstance(allowed, str):
        return chosen(ways, column(f"given_{name}"))
    ways.append((column(f"undated_{name}"), exp.null()))
    return chosen(ways, _days_under(name, allowed))


def _word(name: str, allowed: frozenset[Any]) -> Term:
    told = column(f"told_{name}")
    possible = meanings(name)
    inside = [word for word, means in possible.items() if means <= allowed]
    outside = [word for word, means in possible.items() if means.isdisjoint(allowed)]
    return chosen([(is_one(told, inside), exp.true()), (is_one(told, outside), exp.false())])


def is_one(told: Term, words: Iterable[str | None]) -> Term:
    """Return whether a field is told as one of some words, of which None is not at all."""
    words = list(words)
    told_ones = [word for word in words if word is not None]
    ways: list[Term] = [told.copy().is_(exp.null())] if None in words else []
    ways += [among(told.copy(), told_ones)] if told_ones else []
    return exp.or_(*ways)


def _interval(name: str, allowed: Any) -> Term:  # noqa: ANN401 - a Span by its name
    least, beyond = allowed[0], nextafter(allowed[1], inf)
    low, high = column(f"low_{name}"), column(f"high_{name}")
    inside: list[Term] = []
    outside: list[Term] = []
    if least > 0:
        inside.append(reaches(low.copy(), least))
        outside.append(exp.not_(reaches(high.copy(), least)))
    if beyond < inf:
        inside.append(exp.not_(reaches(high.copy(), beyond)))
        outside.append(reaches(low.copy(), beyond))
    ways = [(exp.and_(*inside), exp.true()), (exp.or_(*outside), exp.false())]
    if name in units.analytes():  # one that is missing does not hold
        ways.insert(0, (exp.not_(column(f"given_{name}")), exp.false()))
    return chosen(ways)


def movers(fact: Fact, own: Parameters) -> Iterator[tuple[str, Term]]:
    """Yield each input that would settle a fact that is open, with when it would."""
    limbs = {name: allowed for way in fact.any for name, allowed in way}
    for name in INPUTS:
        if name in units.analytes() and name in limbs:  # at one of its ends it says yes, or no
            open_ = [
                _interval(n, a).is_(exp.null()) for way in fact.any for n, a in way if n == name
            ]
            yield name, exp.or_(*open_)
        elif name == "age" and name in limbs:
            values = (0.0, *sorted(edge for edge in cuts(name, (own,)) if edge <= OLDEST))
            yield name, exp.and_(column("unknown_age"), _settles(fact, name, values))
        elif name in limbs:
            yield name, exp.or_(*_by_words(fact, name))
    dated = [n for n, allowed in limbs.items() if n in EVENTS and allowed != "given"]
    if dated:
        yield "drawn", exp.or_(*(column(f"undated_{name}") for name in dated))


def _by_words(fact: Fact, name: str) -> Iterator[Term]:
    """Yield, for each set of words that a field leaves possible, whether one settles a fact."""
    told: dict[frozenset[Any], list[str | None]] = {}
    for word, means in meanings(name).items():
        told.setdefault(means, []).append(word)
    for means, words in told.items():
        if len(means) > 1:
            told_so = is_one(column(f"told_{name}"), words)
            yield exp.and_(told_so, _settles(fact, name, sorted(means)))


def _settles(fact: Fact, name: str, values: Iterable[Any]) -> Term:
    return exp.or_(*(is_told(fact_term(fact, {name: value})) for value in values))
