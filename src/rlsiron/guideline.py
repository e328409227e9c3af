"""Guidelines, facts, windows and the safety layer, as records, and how they are read.

Whether the rules of a guideline leave a gap is for `rlsiron.compiler` to prove.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from rlsiron import units
from rlsiron.catalog import (
    Document,
    document,
    guideline_document,
    guideline_files,
    guideline_ids,
    status_ids,
)
from rlsiron.errors import GuidelineError, shown
from rlsiron.extension import modified, resolve
from rlsiron.grammar import (
    DISPOSITIONS,
    GIVES,
    TIERS,
    Allowed,
    GroupShape,
    Limits,
    Parameters,
    PopulationShape,
    Reader,
    RuleShape,
    StatementShape,
    StatusShape,
    When,
    fact_tables,
    in_use,
    vocabulary,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of a decision table; without a disposition, a statement that holds or not.

    Of a statement, `note` is the code of the note that says it (where there is none, the one on
    the iron status), `then` that of a note on what follows, `route` the route of iron that must be
    spoken of, `unless` a field of the draw that must not be told, and `values` fill the note.
    """

    id: str
    any: tuple[Limits, ...]
    disposition: tuple[str, ...] = ()
    says: str
    why: str = ""
    source: str
    strength: str = ""
    certainty: str = ""
    verified: str
    note: str = ""
    then: str = ""
    route: str = ""
    unless: str = ""
    values: tuple[tuple[str, str], ...] = ()

    @property
    def hearsay(self) -> bool:
        """Whether only unverified text stands behind iron that the rule gives."""
        return self.verified == TIERS[-1] and not GIVES.isdisjoint(self.disposition)


@dataclass(frozen=True, slots=True)
class Population:
    """The patients of whom a list of rules speaks; the first rule that applies decides.

    In a file of statements, each rule that applies says so, as does each of the remarks.
    """

    name: str
    applies: Limits
    rules: tuple[Rule, ...]
    remarks: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Guideline:
    """One guideline: its populations, in order, and where it comes from."""

    id: str
    title: str
    purpose: str
    source: str
    version: str
    reviewed_by: tuple[str, ...]
    silent_on: frozenset[str]
    populations: tuple[Population, ...]
    document: Document
    about: str = ""
    """What a file on general iron status speaks of: the label of each of its statements."""
    extends: str = ""
    """The id of the guideline of which this one is a modification."""
    parameters: Parameters = ()
    """The named numbers that it changes, in the safety layer and the facts too."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in file order."""
        return tuple(rule for population in self.populations for rule in population.rules)

    def __repr__(self) -> str:
        """Its id, purpose, version and size."""
        return (
            f"<Guideline {self.id}: {self.purpose}, version {self.version}, "
            f"{len(self.populations)} populations, {len(self.rules)} rules>"
        )


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """A rule that stops routes of iron, or opens an answer that gives it."""

    id: str
    any: tuple[Limits, ...]
    stops: frozenset[str]
    opens: str
    says: str
    sources: tuple[str, ...]
    verified: str


@dataclass(frozen=True, slots=True)
class Silence:
    """What is added to a cell of a source that does not speak of some patients."""

    id: str
    on: str
    when: Limits
    only: str
    adds: str
    says: str
    sources: tuple[str, ...]
    verified: str


@dataclass(frozen=True, slots=True)
class Safety:
    """The layer over every guideline of one purpose."""

    purpose: str
    covers: Limits
    silences: tuple[Silence, ...]
    rules: tuple[SafetyRule, ...]


Limb = tuple[str, Allowed | timedelta | Literal["given"]]
"""What a fact asks of a field: what it admits, or how long ago it was at most."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A yes/no fact: true where, of any of its ways, all limbs are."""

    name: str
    any: tuple[tuple[Limb, ...], ...]
    open_without: str
    """The result, or the field of the patient, without which it is not false but open."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time after an event in which some results must not be read, or are read with a note."""

    id: str
    code: str
    after: str
    lasts: timedelta
    text: str
    by_the_clock: bool
    hides: tuple[str, ...]
    sources: tuple[str, ...]
    verified: str
    """Of the length; the notes that it gives rise to claim no more."""


def parse_guideline(source: Document) -> Guideline:
    """Read a guideline file.

    Raises
    ------
    GuidelineError
        With the file, line, population, rule and key at fault, and the way out.
    """
    source, parameters = resolve(source)
    reader = Reader(source, parameters=parameters)
    shape = reader.shape()
    extends = "" if isinstance(shape, StatusShape) else shape.extends
    cited = reader.within("key", "source").cited(shape.source)
    cited = modified(extends) if extends else cited
    populations: list[Population] = []
    ids: set[str] = set()
    for part in shape.population:
        here = reader.within("population", part.name)
        if part.name in {population.name for population in populations}:
            raise here.fault("is the second of its name; give each population its own")
        said: dict[str, list[Rule]] = {"rule": [], "remark": []}
        for kind, rule in _said(part):
            place = here.within(kind, rule.id)
            if rule.id in ids:
                raise place.fault(f"is the second of its id; give each {kind} its own")
            ids.add(rule.id)
            ways = _by_facts(place.ways(rule.when, rule.any), parameters)
            said[kind].append(_rule(place, rule, cited, ways))
        _refuse_unfilled(here, said)
        (applies,) = _by_facts((here.limits(part.applies),), parameters)
        populations.append(
            Population(part.name, applies, tuple(said["rule"]), tuple(said["remark"]))
        )
    return Guideline(
        id=shape.id,
        title=shape.title or shape.id,
        purpose=shape.purpose,
        source=cited,
        version=shape.version,
        reviewed_by=tuple(shape.reviewed_by),
        silent_on=frozenset(() if isinstance(shape, StatusShape) else shape.silent_on),
        populations=tuple(populations),
        document=source,
        about=shape.about if isinstance(shape, StatusShape) else "",
        extends=extends,
        parameters=parameters,
    )


def _said(
    part: PopulationShape | GroupShape,
) -> Iterator[tuple[str, RuleShape | StatementShape]]:
    """Yield the rules and the remarks of a population, each with its kind."""
    yield from (("rule", rule) for rule in part.rule)
    if isinstance(part, PopulationShape):
        yield from (("remark", remark) for remark in part.remark)


_OWN = frozenset({"adolescent"})  # the note of a remark that the engine fills
_FILLED = frozenset(
    {"title", "says", "ferritin", "hemoglobin"}
)  # by the library, in a note of statements


def _refuse_unfilled(reader: Reader, said: Mapping[str, list[Rule]]) -> None:
    """Refuse a note that is not known, or whose text would keep a placeholder."""
    notes = document("notes/en.toml").data["note"]
    for kind, rules in said.items():
        for rule in rules:
            here = reader.within(kind, rule.id)
            for code in filter(None, (rule.note, rule.then)):
                here.one_of(code, tuple(notes), "note")
            alike = [
                o for o in rules if (o.note, o.any, o.route) == (rule.note, rule.any, rule.route)
            ]
            filled = _FILLED.union(name for one in alike for name, _ in one.values)
            takes = Formatter().parse(notes[rule.note]["text"] if rule.note else "")
            missing = sorted({name for _, name, _, _ in takes if name} - filled)
            if missing and rule.note not in _OWN:
                raise here.fault(
                    f"its note {rule.note!r} takes {', '.join(missing)}; give `values`"
                )


def _by_facts(ways: tuple[Limits, ...], parameters: Parameters) -> tuple[Limits, ...]:
    """Return conditions that ask for the facts as the file's own parameters make them."""
    if not parameters:
        return ways
    names = {name: fact.name for name, fact in facts(parameters).items()}
    return tuple(Limits(tuple((names.get(n, n), one) for n, one in way.axes)) for way in ways)


def _rule(
    reader: Reader, shape: RuleShape | StatementShape, source: str, ways: tuple[Limits, ...]
) -> Rule:
    if shape.source:
        source = reader.within("key", "source").cited(shape.source)
    if isinstance(shape, StatementShape):
        if not (shape.says or shape.note):
            raise reader.fault("says nothing; give `says`, or the code of a `note`")
        return Rule(
            id=shape.id,
            any=ways,
            says=shape.says,
            source=source,
            strength=shape.strength,
            certainty=shape.certainty,
            verified=shape.verified,
            note=shape.note,
            then=shape.then,
            route=shape.route,
            unless=shape.unless,
            values=tuple(shape.values.items()),
        )
    given = [shape.disposition] if isinstance(shape.disposition, str) else shape.disposition
    for word in given:
        reader.within("key", "disposition").one_of(word, DISPOSITIONS, "disposition")
    if not given or len(set(given)) < len(given):
        raise reader.fault("name each disposition that remains possible, once")
    if len(given) > 1 and not shape.why:
        raise reader.fault("more than one disposition remains possible; say `why`")
    return Rule(
        id=shape.id,
        any=ways,
        disposition=tuple(sorted(given, key=DISPOSITIONS.index)),
        says=shape.says,
        why=shape.why,
        source=source,
        strength=shape.strength,
        certainty=shape.certainty,
        verified=shape.verified,
    )


@cache
def statuses() -> tuple[Guideline, ...]:
    """Return the files on general iron status, which ship with the library."""
    return tuple(parse_guideline(document(f"status/{id_}.toml")) for id_ in status_ids())


@cache
def remarks() -> Guideline:
    """Return what is remarked of a patient whatever the guideline."""
    return parse_guideline(document("remarks.toml"))


def remarks_of(guideline: Guideline) -> Guideline | None:
    """Return the remarks of a guideline as a file of statements; None where it has none."""
    populations = tuple(replace(p, rules=p.remarks, remarks=()) for p in guideline.populations)
    if not any(population.rules for population in populations):
        return None
    return replace(guideline, populations=populations)


@cache
def shipped(id_: str) -> Guideline:
    """Return a guideline that ships with the library, by its id."""
    return parse_guideline(guideline_document(id_))


def load_guideline(given: "str | Path | Guideline") -> Guideline:
    """Return a guideline by its id, by the path of a file, or as it is.

    Raises
    ------
    GuidelineError
        If there is none of that name, or its file is faulty.

    Examples
    --------
    >>> load_guideline("irlssg-2018")
    <Guideline irlssg-2018: rls, version 1, 2 populations, 10 rules>
    """
    if isinstance(given, Guideline):
        return _deciding(given)
    if not isinstance(given, str | Path):
        message = f"{given!r} is no guideline; give an id, a path or a Guideline"
        raise GuidelineError(message)
    if given in guideline_ids():
        return shipped(str(given))
    return by_its_own_name(_deciding(parse_guideline(guideline_document(given))))


def by_its_own_name(own: Guideline) -> Guideline:
    """Return a file of a user's own, if it does not call itself as one that ships."""
    for key, name in (("id", own.id), ("title", own.title)):
        if name.strip().casefold() in _taken()[key]:
            text = f"the {key} {shown(name)} is taken; a file of your own has its own"
            raise Reader(own.document, (("key", key),)).fault(text)
    return own


@cache
def _taken() -> Mapping[str, frozenset[str]]:
    """Return the names of the files that ship, by which no other may call itself."""
    names = [f"guidelines/{id_}" for id_ in guideline_ids()]
    names += [f"status/{id_}" for id_ in status_ids()]
    filed = [document(f"{name}.toml").data for name in (*names, "remarks")]
    ids = frozenset(one["id"] for one in filed)
    return {"id": ids, "title": ids | {one["title"].casefold() for one in filed}}


def load_guidelines(given: "str | Path | Guideline") -> tuple[Guideline, ...]:
    """Return a guideline, or each file of a folder as one, in the order of their names."""
    files = guideline_files(given) if isinstance(given, str | Path) else (given,)
    return tuple(map(load_guideline, files))


def _deciding(given: Guideline) -> Guideline:
    """Return a guideline that says what to do."""
    if given.purpose in {"status", "remarks"}:
        text = "a file of statements decides nothing; give one that says what to do"
        raise Reader(given.document, (("key", "purpose"),)).fault(text)
    return given


@lru_cache(maxsize=256)
def safety(own: Parameters = ()) -> Safety:
    """Return the safety layer, with the parameters of a file that changes some."""
    source = document("safety.toml")
    reader, data = Reader(source, parameters=own), source.data
    printed = {name: text.replace("ug/", "µg/") for name, text in in_use(own).items()}
    return Safety(
        purpose=data["purpose"],
        covers=reader.limits(data["covers"]),
        silences=tuple(
            Silence(**{**table, "when": reader.limits(table["when"]), "sources": _cited(table)})
            for table in data["silence"]
        ),
        rules=tuple(
            SafetyRule(
                id=table["id"],
                any=reader.ways(table.get("when"), table.get("any")),
                stops=frozenset(table.get("stops", ())),
                opens=table.get("opens", ""),
                says=table["says"].format(**printed),
                sources=_cited(table),
                verified=table["verified"],
            )
            for table in data["rule"]
        ),
    )


def _cited(table: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(map(Reader(document("sources.toml")).cited, table["sources"]))


@lru_cache(maxsize=256)
def facts(own: Parameters = ()) -> Mapping[str, Fact]:
    """Return the facts, by name, with the parameters of a file that changes some.

    A fact that these change is another axis: its record has a name of its own.
    """
    reader = Reader(document("facts.toml"), parameters=own)
    made = {
        table["name"]: Fact(
            name=table["name"],
            any=tuple(tuple(_limbs(reader, way)) for way in table["any"]),
            open_without=table.get("open_without", ""),
        )
        for table in fact_tables()
    }
    if not own:
        return made
    told = ", ".join(f"{name} {value}" for name, value in own)
    return {
        name: fact if fact == facts()[name] else replace(fact, name=f"{name} ({told})")
        for name, fact in made.items()
    }


def _limbs(reader: Reader, way: When) -> Iterator[Limb]:
    for name, given in way.items():
        if isinstance(given, bool):
            yield name, frozenset({given})
        elif name in vocabulary():
            yield name, reader.words(name, given)
        elif name == "age" or name in units.analytes():
            yield name, reader.span(name, [given] if isinstance(given, str) else given)
        elif given == "given":
            yield name, "given"
        else:
            yield name, reader.duration(str(given))


@cache
def windows() -> tuple[Window, ...]:
    """Return the times after an event in which results are not read, or read with a note."""
    reader = Reader(document("facts.toml"))
    return tuple(
        Window(
            id=table["id"],
            code=table["code"],
            after=table["after"],
            lasts=reader.duration(table["lasts"]),
            text=table["lasts"],
            by_the_clock=table["lasts"].endswith("hours"),
            hides=tuple(table["hides"]),
            sources=_cited(table),
            verified=table["verified"],
        )
        for table in document("facts.toml").data["window"]
    )
