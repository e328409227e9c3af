"""Faults that an implementer might make, planted one at a time in copies of the knowledge files.

A fault is a changed copy of what TOML makes of a guideline file or of the safety layer; nothing on
disk changes. What the pack makes of each: `test_conformance_bites`.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any, NamedTuple

Data = dict[str, Any]
Path = tuple[str | int, ...]

TURNED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
# one step of the grid on which values stand, in the unit in which the limit is printed
STEP = dict.fromkeys(("ug/L", "mg/L", "g/L", "%", "years"), "1e-9")
STEP |= {"months": "12e-9", "days": "1"}
LIMIT = re.compile(r"(<=|>=|<|>) (.+)")


class Planted(NamedTuple):
    """A fault: its kind, where it is, and the file with it."""

    kind: str
    place: str
    data: Data


def planted(data: Data, facts: Mapping[str, Any]) -> Iterator[Planted]:
    """Yield a file once for each fault that can be planted in it.

    Parameters
    ----------
    data, facts
        What TOML makes of the file, and of that of the facts, which has the parameters.
    """
    for path in ways(data):
        yield from in_way(data, path, facts["parameters"])
        yield from split(data, path)
    for path in holders(data):
        part = at(data, path)
        if len(part.get("any", [])) > 1:
            yield Planted("OR made AND", named(data, path), merged(data, path, facts["group"]))
        yield from left_out(data, path)


def holders(data: Data) -> Iterator[Path]:
    """Yield the path of each population, rule, silence and fact."""
    for kind in ("population", "silence", "rule", "fact"):
        for number, part in enumerate(data.get(kind, [])):
            yield (kind, number)
            yield from ((kind, number, "rule", inner) for inner in range(len(part.get("rule", []))))


def ways(data: Data) -> Iterator[Path]:
    """Yield the path of each condition: all of its limbs must hold."""
    if "covers" in data:
        yield ("covers",)
    for path in holders(data):
        part = at(data, path)
        yield from ((*path, key) for key in ("applies", "when") if key in part)
        yield from ((*path, "any", number) for number in range(len(part.get("any", []))))


def at(data: Data, path: Path) -> Any:  # noqa: ANN401 - TOML
    """Return what stands at a path."""
    found: Any = data
    for step in path:
        found = found[step]
    return found


def named(data: Data, path: Path) -> str:
    """Return a path in the names of the populations and rules on it."""
    parts = [at(data, path[: end + 1]) for end in range(len(path))]
    names = [part.get("name") or part.get("id") for part in parts if isinstance(part, dict)]
    return " ".join(name for name in names if name) or "covers"


def changed(data: Data, path: Path, value: object) -> Data:
    """Return a copy with another value at a path."""
    copy = deepcopy(data)
    at(copy, path[:-1])[path[-1]] = value
    return copy


def replaced(data: Data, path: Path, values: list[Any]) -> Data:
    """Return a copy with some values in place of one of a list."""
    copy = deepcopy(data)
    number = path[-1]
    assert isinstance(number, int)
    at(copy, path[:-1])[number : number + 1] = values
    return copy


def in_way(data: Data, path: Path, parameters: Mapping[str, str]) -> Iterator[Planted]:
    """Yield the faults in the limbs of a condition."""
    place = named(data, path)
    for name, given in at(data, path).items():
        if isinstance(given, bool):
            yield Planted("yes and no turned", place, changed(data, (*path, name), not given))
            continue
        texts = given if isinstance(given, list) else [given]
        for number, text in enumerate(texts):
            here = f"{place}: {name} {text}"
            match = LIMIT.fullmatch(text)
            if match is None:
                rest = [*texts[:number], *texts[number + 1 :]]
                if rest:
                    yield Planted("word left out", here, changed(data, (*path, name), rest))
                continue
            for kind, other in limits(match, parameters):
                new = [*texts[:number], other, *texts[number + 1 :]]
                value = new if len(new) > 1 else other
                yield Planted(kind, here, changed(data, (*path, name), value))


def limits(match: re.Match[str], parameters: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield a limit with each fault, and its kind."""
    operator, limit = match.groups()
    if not limit.endswith("days"):  # of which the grammar prints "less than" only
        yield "operator turned", f"{TURNED[operator]} {limit}"
    yield "limit a step up", f"{operator} {moved(limit, 1, parameters)}"
    yield "limit a step down", f"{operator} {moved(limit, -1, parameters)}"


def moved(limit: str, steps: int, parameters: Mapping[str, str]) -> str:
    """Return a limit, or the number that it names, some steps of the grid away."""
    number, unit = parameters.get(limit, limit).split(" ")
    return f"{Decimal(number) + steps * Decimal(STEP[unit]):f} {unit}"


def limbs(way: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what must hold together, one by one; two limits on one axis are two."""
    return [
        {name: each}
        for name, given in way.items()
        for each in (given if isinstance(given, list) and LIMIT.fullmatch(given[0]) else [given])
    ]


def split(data: Data, path: Path) -> Iterator[Planted]:
    """Yield the fault that any limb of a condition is enough."""
    apart = limbs(at(data, path))
    if len(apart) < 2:
        return
    *_, key = path
    if key == "when" and path[0] != "silence":
        holder = {name: given for name, given in at(data, path[:-1]).items() if name != "when"}
        copy = replaced(data, path[:-1], [{**holder, "any": apart}])
    elif key in {"when", "applies"}:  # which cannot stand in one table: one for each limb
        holder = at(data, path[:-1])
        each = [renamed({**holder, key: limb}, f" {n}") for n, limb in enumerate(apart)]
        copy = replaced(data, path[:-1], each)
    else:
        copy = replaced(data, path, apart)
    yield Planted("AND made OR", named(data, path), copy)


def renamed(holder: Data, suffix: str) -> Data:
    """Return a population with names of its own, for its rules too."""
    rules = [{**rule, "id": rule["id"] + suffix} for rule in holder.get("rule", [])]
    own = {"name": holder["name"] + suffix, "rule": rules, "remark": []}
    return {**holder, **(own if "name" in holder else {})}


def merged(data: Data, path: Path, groups: list[Data]) -> Data:
    """Return a file in which a rule asks for all of its ways; without it, where none can be."""
    holder = {name: given for name, given in at(data, path).items() if name != "any"}
    words = {(group["axis"], group["name"]): group["words"] for group in groups}
    when: dict[str, Any] = {}
    for way in at(data, path)["any"]:
        for name, given in way.items():
            texts = given if isinstance(given, list) else [given]
            if name not in when:
                when[name] = texts
            elif isinstance(texts[0], str) and LIMIT.fullmatch(texts[0]):
                when[name] = list(dict.fromkeys([*when[name], *texts]))
            else:
                sets = [
                    {word for text in side for word in words.get((name, text), [text])}
                    for side in (when[name], texts)
                ]
                when[name] = sorted(set.intersection(*sets))
    never = any(not given or contradict(given) for given in when.values())
    when = {name: given[0] if len(given) == 1 else given for name, given in when.items()}
    if path[0] == "fact":
        return changed(data, (*path, "any"), [] if never else [when])
    return replaced(data, path, [] if never else [{**holder, "when": when}])


def contradict(texts: list[Any]) -> bool:
    """Whether no value is within all of some limits."""
    matches = [match for text in texts if (match := LIMIT.fullmatch(str(text)))]
    ends = [(match[1], match[2].split(" ")[0]) for match in matches]
    lows = [
        Decimal(number) for operator, number in ends if operator[0] == ">" and number[0].isdigit()
    ]
    highs = [
        Decimal(number) for operator, number in ends if operator[0] == "<" and number[0].isdigit()
    ]
    return bool(lows and highs) and max(lows) >= min(highs)


def left_out(data: Data, path: Path) -> Iterator[Planted]:
    """Yield the faults that a population, a rule or a route is not there."""
    kind = "population" if path[-2] == "population" else "rule"
    place = named(data, path)
    ways_of = at(data, path).get("any", [])
    for number in range(len(ways_of) if len(ways_of) > 1 else 0):
        here = f"{place}: way {number + 1}"
        yield Planted("way left out", here, replaced(data, (*path, "any", number), []))
    if path[0] == "fact":
        return
    if len(at(data, path[:-1])) > 1:
        yield Planted(f"{kind} dropped", place, replaced(data, path, []))
    elif kind == "population":
        # a file has at least one: it speaks of nobody
        yield Planted(
            f"{kind} dropped", place, changed(data, (*path, "applies"), {"age": "> 130 years"})
        )
    routes = at(data, path).get("stops", [])
    if len(routes) > 1:
        for route in routes:
            rest = [one for one in routes if one != route]
            yield Planted(
                "route left out", f"{place}: {route}", changed(data, (*path, "stops"), rest)
            )
