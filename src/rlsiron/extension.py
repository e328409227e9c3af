"""Makes a whole guideline file of one that extends another with a few changes.

What is made is a file like any other, read by the same grammar and proven by the same compiler. It
never speaks in the name of the one that it modifies: its title and the source of every rule say
so, and a rule that may now decide other patients says which, in place of the sentence of before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rlsiron.catalog import Document, document, guideline_ids
from rlsiron.errors import did_you_mean, shown
from rlsiron.grammar import TIERS, ChangeShape, ExtensionShape, Parameters, Reader, in_use
from rlsiron.wording import listed, phrases

_CHOSEN = TIERS.index("convention")  # a limit that a user chose is no text of a source


def resolve(source: Document) -> tuple[Document, Parameters]:
    """Return a file with all its populations, and the parameters that it changes.

    Parameters
    ----------
    source
        Any guideline file; one that extends nothing is returned as it is.

    Raises
    ------
    GuidelineError
        If it extends no guideline that ships, or changes what is not there or not to be changed.
    """
    if "extends" not in source.data:
        return source, ()
    reader = Reader(source)
    shape = reader.extension()
    if shape.extends not in guideline_ids():
        known = did_you_mean(shape.extends, guideline_ids())
        text = f"only a guideline that ships can be extended, not {shown(shape.extends)}{known}"
        raise reader.within("key", "extends").fault(text)
    if shape.reviewed_by:
        text = "nobody reviewed a modification; remove it, or write a file that stands alone"
        raise reader.within("key", "reviewed_by").fault(text)
    base = document(f"guidelines/{shape.extends}.toml").data
    parameters = _parameters(reader, shape, base["purpose"])
    said = phrases("modified")
    data = {
        **base,
        "id": shape.id,
        "extends": shape.extends,
        "title": said["title"].format(title=shape.title or shape.id, base=shape.extends),
        "version": shape.version,
        "reviewed_by": [],
        "population": _populations(
            base["population"], _changes(reader, shape, base), _Namer(shape.extends, parameters)
        ),
    }
    return Document(source.name, source.text, data), parameters


def modified(base: str) -> str:
    """Return what stands for the source of a modification.

    Examples
    --------
    >>> modified("aasm-2025")
    'modified from aasm-2025'
    """
    return phrases("modified")["source"].format(base=base)


def _parameters(reader: Reader, shape: ExtensionShape, purpose: str) -> Parameters:
    """Return the parameters that a file changes, each a number in a unit of its kind."""
    unsafe = shape.parameters.get("unsafe_ceiling", False)
    if not isinstance(unsafe, bool):
        raise reader.within("key", "unsafe_ceiling").fault(f"{shown(unsafe)} is not true or false")
    given = {name: text for name, text in shape.parameters.items() if name != "unsafe_ceiling"}
    axes = document("facts.toml").data["parameter_of"]
    for name, text in given.items():
        here = reader.within("key", name)
        here.one_of(name, tuple(axes), "parameter")
        before = in_use(())[name]
        value = here.value(axes[name], text, example=before)
        if not value:
            raise here.fault(f"{text!r} is no limit; write one such as {before!r}, or remove it")
        if not name.endswith("_ceiling"):
            continue
        if purpose != document("safety.toml").data["purpose"]:
            raise here.fault(f"no ceiling lies over a guideline of purpose {purpose!r}; remove it")
        if value > here.value(axes[name], before, example=before) and not unsafe:
            raised = f"{text!r} raises the ceiling of {before}; lower it, or answer for it by"
            raise here.fault(f"{raised} `unsafe_ceiling = true` beside it")
    return tuple(sorted(given.items()))


def _changes(
    reader: Reader, shape: ExtensionShape, base: Mapping[str, Any]
) -> Mapping[str, ChangeShape]:
    """Return the changes by the id of the rule, which the extended file has."""
    known = tuple(rule["id"] for population in base["population"] for rule in population["rule"])
    changes: dict[str, ChangeShape] = {}
    for change in shape.change:
        here = reader.within("rule", change.id)
        here.one_of(change.id, known, f"rule of {shape.extends}")
        if change.id in changes:
            raise here.fault("is changed twice; change each rule once")
        if change.when is None and change.any is None:
            raise here.fault("say its new `when`, or `any`")
        changes[change.id] = change
    return changes


def _populations(
    populations: Sequence[Mapping[str, Any]],
    changes: Mapping[str, ChangeShape],
    namer: "_Namer",
) -> list[dict[str, Any]]:
    """Return the populations with the changes made."""
    made = []
    for population in populations:
        rules: list[dict[str, Any]] = []
        touched = False  # from the first change on, rules may decide patients of others
        for rule in population["rule"]:
            touched = touched or rule["id"] in changes
            kept = {name: value for name, value in rule.items() if name != "source"}
            change = changes.get(rule["id"])
            if change:
                kept = {name: kept[name] for name in kept.keys() - {"when", "any"}}
                kept |= change.model_dump(include={"when", "any"}, exclude_none=True)
            rules.append(namer.renamed(kept, first=not rules) if touched else kept)
        made.append({**population, "rule": rules})
    return made


class _Namer:
    """Tells rules of a modification in its own words."""

    def __init__(self, base: str, parameters: Parameters) -> None:
        self._base = base
        self._limits = in_use(parameters)

    def renamed(self, rule: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
        """Return a rule that claims no more than it may: its limits, no strength, no better tier.

        Parameters
        ----------
        rule
            As it stands in the file.
        first
            Whether it is the first of its population.
        """
        said = phrases("modified")
        ways = rule.get("any") or [rule.get("when") or {}]
        parts = [] if ways == [{}] else [listed([self._printed(way) for way in ways], "or")]
        parts += [] if first else [said["after"]]
        filling = {"base": self._base, "rule": rule["id"]}
        own = {
            "says": said["says"].format(when=listed(parts, "and") or said["always"], **filling),
            "verified": TIERS[max(_CHOSEN, TIERS.index(rule["verified"]))],
        }
        if "why" in rule:
            own["why"] = said["why"].format(**filling)
        dropped = {"strength", "certainty"}
        return {name: value for name, value in rule.items() if name not in dropped} | own

    def _printed(self, way: Mapping[str, Any]) -> str:
        """Return a condition as it is printed in the file, a parameter as its value."""
        words = []
        for name, given in way.items():
            if isinstance(given, bool):
                words.append(name if given else f"not {name}")
                continue
            texts = [given] if isinstance(given, str) else given
            joint = " and " if any(text[:1] in {"<", ">"} for text in texts) else " or "
            words.append(f"{name} {joint.join(texts)}")
        text = " and ".join(words)
        for parameter, value in self._limits.items():
            text = text.replace(parameter, value)
        return text.replace("ug/", "µg/")
