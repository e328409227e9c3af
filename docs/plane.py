"""Draws what a compiled table says on the plane of ferritin and TSAT.

Nothing is compared with a limit here: the edges are those of the table, and each piece between two
of them is looked up in it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from math import inf, sqrt
from typing import Any, NamedTuple

from rlsiron.facts import situation
from rlsiron.grammar import DISPOSITIONS, Limits
from rlsiron.guideline import Population
from rlsiron.models import Panel
from rlsiron.patient import read_patient
from rlsiron.table import Axis, Cell, Table, WordAxis
from rlsiron.units import analyte, settle
from rlsiron.wording import listed, options, word

# Okabe and Ito's colors where iron is given, grays where it is not: told apart in every kind of
# color vision, and by their lightness.
COLORS = {
    "oral-iron": "#56b4e9",
    "iv-iron": "#e69f00",
    "oral-or-iv-iron": "#009e73",
    "no-iron": "#e4e4e4",
    "withhold-iron": "#4d4d4d",
    "not-covered": "#ffffff",
}
_SIDE, _THIN = 62, 22  # of a band, and of one that holds a single value
_LEFT, _BELOW, _ROOM = 66, 42, 8  # for the names of the axes, and around all
_STRIPE = 13  # of a color, along an edge
_LETTER = 5.6  # as wide as a letter is at most

Situation = Mapping[str, Any]
Anchor = Callable[[str], str]
"""Where a rule stands, by its id."""


class Band(NamedTuple):
    """A piece of an axis, from an edge up to, not including, the next."""

    low: float
    high: float

    @property
    def is_point(self) -> bool:
        """Whether it holds a single printed value."""
        return self.high < inf and settle(self.low) == settle(self.high)

    @property
    def limit(self) -> str:
        """Its upper edge as a printed limit: "≤" where the limit itself belongs to the band."""
        limit = settle(self.high)
        return f"{'<' if limit == self.high else '≤'} {limit:.12g}"

    @property
    def beyond(self) -> str:
        """What lies beyond its upper edge, as a printed limit."""
        return self.limit.replace("<", "≥").replace("≤", ">")


class Said(NamedTuple):
    """Dispositions, and the rules that they rest on."""

    dispositions: tuple[str, ...]
    rules: tuple[str, ...]


class Plane(NamedTuple):
    """What some tables say in each piece of the plane: `cells[ferritin][tsat][table]`."""

    ferritin: tuple[Band, ...]
    tsat: tuple[Band, ...]
    cells: tuple[tuple[tuple[Cell, ...], ...], ...]

    def said(self, saying: Callable[[Cell], Said], table: int = 0) -> list[list[Said]]:
        """Return what one of the tables says, before or after safety."""
        return [[saying(cells[table]) for cells in row] for row in self.cells]


class Block(NamedTuple):
    """A rectangle of the plane that holds one thing: bands from, up to and not including."""

    left: int
    right: int
    low: int
    high: int
    held: Any


def patients(whom: Limits) -> dict[str, Any]:
    """Return what is so of patients of whom nothing else is told."""
    known = _untold()
    for name, allowed in whom.axes:
        both = known[name] & allowed if isinstance(allowed, frozenset) else ()
        known[name] = both or allowed
    return known


def patients_of(table: Table, population: Population) -> dict[str, Any]:
    """Return what is so of the patients of a population whom no earlier one takes."""
    known = patients(population.applies)
    own = {rule.id for rule in population.rules}
    for axis in table.axes:
        if axis.name in {"ferritin", "tsat"}:
            continue
        pieces = [
            piece
            for piece in _pieces(axis, known[axis.name])
            if not own.isdisjoint(_deciding(table, {**known, axis.name: piece}))
        ]
        if isinstance(axis, WordAxis):
            known[axis.name] = frozenset[Any]().union(*pieces)
        else:
            known[axis.name] = (pieces[0][0], pieces[-1][1])
    return known


def _pieces(axis: Axis, possible: Any) -> list[Any]:  # noqa: ANN401 - as the axis is
    """Return what is possible on an axis, cell by cell."""
    cells = axis.cells(possible)
    if isinstance(axis, WordAxis):
        return [axis.classes[cell] & possible for cell in cells]
    low, high = possible
    return [(max(low, axis.span(cell)[0]), min(high, axis.span(cell)[1])) for cell in cells]


def _deciding(table: Table, known: Situation) -> set[str]:
    return {rule.id for rule in table.look_up(table.box(known)).rules}


def _untold() -> dict[str, Any]:
    panel = Panel(
        drawn=None, fasting=None, assay=None, reported={}, ferritin=None, tsat=None, tsat_source=""
    )
    return situation(read_patient(), panel)


def plane(tables: Sequence[Table], known: Situation) -> Plane:
    """Return what some tables say of a situation, with no band that tells nothing apart."""
    ferritin, tsat = (_bands(tables, name) for name in ("ferritin", "tsat"))
    cells = [
        [tuple(_said(table, known, low, share) for table in tables) for share in tsat]
        for low in ferritin
    ]
    rows = _runs(cells)
    columns = _runs(list(zip(*cells, strict=True)))
    return Plane(
        ferritin=tuple(Band(ferritin[at].low, ferritin[end - 1].high) for at, end in rows),
        tsat=tuple(Band(tsat[at].low, tsat[end - 1].high) for at, end in columns),
        cells=tuple(tuple(cells[row][column] for column, _ in columns) for row, _ in rows),
    )


def _bands(tables: Sequence[Table], name: str) -> list[Band]:
    edges = {edge for table in tables for edge in table.edges(name)}
    known = analyte(name)
    most = known.maximum.value if known.maximum else inf
    return [Band(*pair) for pair in pairwise([0.0, *sorted(edges), most])]


def _said(table: Table, known: Situation, ferritin: Band, tsat: Band) -> Cell:
    point = {"ferritin": (ferritin.low,) * 2, "tsat": (tsat.low,) * 2}
    return table.look_up(table.box({**known, **point}))


def _runs(lines: Sequence[Any]) -> list[tuple[int, int]]:
    """Return the runs of equal neighbors, each from, up to and not including."""
    starts = [at for at, line in enumerate(lines) if not at or line != lines[at - 1]]
    return list(pairwise([*starts, len(lines)]))


def others(table: Table, population: Population) -> Iterator[tuple[str, frozenset[Any], Plane]]:
    """Yield what else of a patient of a population makes its plane another, and that plane."""
    known = patients_of(table, population)
    first = plane([table], known)
    applies = dict(population.applies.axes)
    own = {rule.id for rule in population.rules}
    for axis in table.axes:
        if not isinstance(axis, WordAxis) or axis.name == "rls":
            continue
        for words in axis.classes:
            within_it = words & applies.get(axis.name, words)
            if not within_it or known[axis.name] <= within_it:
                continue
            other = plane([table], {**known, axis.name: within_it})
            if other != first and decided_by(other) <= own:
                yield axis.name, within_it, other


def decided_by(drawn: Plane) -> set[str]:
    """Return the ids of the rules that decide on a plane."""
    every = (cell for row in drawn.cells for cells in row for cell in cells)
    return {rule.id for cell in every for rule in cell.rules}


def blocks(cells: Sequence[Sequence[Any]]) -> list[Block]:
    """Return the plane as few rectangles, from runs in a row that the next rows have too."""
    found: list[Block] = []
    for row, line in enumerate(cells):
        for left, right in _runs(line):
            above = [
                at
                for at, block in enumerate(found)
                if block == Block(left, right, block.low, row, line[left])
            ]
            if above:
                found[above[0]] = found[above[0]]._replace(high=row + 1)
            else:
                found.append(Block(left, right, row, row + 1, line[left]))
    return found


def criterion(cell: Cell) -> Said:
    """Return what the source says in a cell."""
    return Said(cell.criterion, tuple(rule.id for rule in cell.rules))


def after_safety(cell: Cell) -> Said:
    """Return what remains in a cell: by the source's rules, or by safety's where they change it."""
    if cell.possible == cell.criterion:
        return criterion(cell)
    return Said(cell.possible, tuple(sorted(cell.stopped | cell.may_be_stopped)))


def svg(drawn: Plane, said: Sequence[Sequence[Said]], anchor: Anchor) -> str:
    """Return a plane as a picture: what is said in color, by which rule in letters."""
    across, up = _ends(drawn.tsat), _ends(drawn.ferritin)
    width, height = _LEFT + across[-1] + _ROOM, _ROOM + up[-1] + _BELOW
    parts = [
        f'<svg class="plane" viewBox="0 0 {width} {height}" role="img" width="{width * 1.35:g}">',
        f"<title>{word('analyte', 'ferritin')} and {word('analyte', 'tsat')}</title>",
    ]
    for block in blocks(said):
        box = (
            _LEFT + across[block.left],
            _ROOM + up[-1] - up[block.high],
            across[block.right] - across[block.left],
            up[block.high] - up[block.low],
        )
        parts.append(_rectangle(box, block.held, _tip(drawn, block), anchor))
    parts += _axes(drawn, across, up)
    return "\n".join([*parts, "</svg>"])


def _ends(bands: Sequence[Band]) -> list[int]:
    ends = [0]
    for band in bands:
        ends.append(ends[-1] + (_THIN if band.is_point else _SIDE))
    return ends


def between(bands: Sequence[Band], first: int, end: int) -> str:
    """Return some bands, up to and not including one, as their printed limits."""
    if end == first + 1 and bands[first].is_point:
        return f"exactly {settle(bands[first].low):.12g}"
    limits = [bands[first - 1].beyond] if first else []
    limits += [bands[end - 1].limit] if end < len(bands) else []
    return listed(limits, "and") or "any"


def _tip(drawn: Plane, block: Block) -> str:
    ferritin = between(drawn.ferritin, block.low, block.high)
    tsat = between(drawn.tsat, block.left, block.right)
    where = f"{word('analyte', 'ferritin')} {ferritin}, {word('analyte', 'tsat')} {tsat}"
    by = f" ({', '.join(block.held.rules)})" if block.held.rules else ""
    return f"{where}: {options(block.held.dispositions)}{by}"


def _rectangle(box: tuple[int, int, int, int], said: Said, tip: str, anchor: Anchor) -> str:
    left, top, width, height = box
    colors = [COLORS[disposition] for disposition in said.dispositions]
    shape = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{colors[0]}"/>'
    stripes = _stripes(box, colors[1:])
    text = "".join(_label(box, said.rules))
    kind = f'class="cell" data-said="{" ".join(said.dispositions)}"'
    inner = f"<title>{escape(tip)}</title>{shape}{stripes}{text}"
    if not said.rules:  # where the source does not speak of the patient
        return f"<g {kind}>{inner}</g>"
    return f'<a href="{anchor(said.rules[0])}" {kind}>{inner}</a>'


def _label(box: tuple[int, int, int, int], rules: tuple[str, ...]) -> Iterator[str]:
    """Yield the ids of rules, one below the other, each as narrow as its rectangle."""
    left, top, width, height = box
    line = 13
    first = top + height / 2 - line * (len(rules) - 1) / 2
    for at, rule in enumerate(rules):
        room = width - 4
        narrow = f' textLength="{room}" lengthAdjust="spacingAndGlyphs"'
        fits = len(rule) * _LETTER <= room
        place = f'x="{left + width / 2:g}" y="{first + at * line:g}"'
        yield f"<text {place}{'' if fits else narrow}>{escape(rule)}</text>"


def _stripes(box: tuple[int, int, int, int], colors: Sequence[str]) -> str:
    """Return stripes over the first color of a rectangle, each color as wide as that one."""
    if not colors:
        return ""
    left, top, width, height = box
    whole = _STRIPE * (len(colors) + 1)
    long = height + 2 * _STRIPE  # from above the rectangle to below it
    lines = []
    for at, color in enumerate(colors, start=1):
        starts = range((at + 1) * _STRIPE, width + long + whole, whole)
        ways = "".join(f"M{start} {-_STRIPE}l{-long} {long}" for start in starts)
        lines.append(
            f'<path d="{ways}" stroke="{color}" stroke-width="{_STRIPE * sqrt(0.5):.3g}"/>'
        )
    # An image of its own clips them. A pattern would need an id, and one whose first bearer stands
    # in a closed part of the page paints nothing.
    place = f'x="{left + 1}" y="{top + 1}" width="{width - 2}" height="{height - 2}"'
    return f"<svg {place}>{''.join(lines)}</svg>"


def _axes(drawn: Plane, across: Sequence[int], up: Sequence[int]) -> Iterator[str]:
    """Yield the printed limits along the axes, and what the axes are."""
    bottom = _ROOM + up[-1]
    for band, at in zip(drawn.tsat[:-1], across[1:-1], strict=True):
        yield f'<path d="M{_LEFT + at} {bottom}v4"/>'
        yield f'<text class="limit" x="{_LEFT + at}" y="{bottom + 13}">{escape(band.limit)}</text>'
    for band, at in zip(drawn.ferritin[:-1], up[1:-1], strict=True):
        yield f'<path d="M{_LEFT} {bottom - at}h-4"/>'
        place = f'x="{_LEFT - 7}" y="{bottom - at}"'
        yield f'<text class="limit upright" {place}>{escape(band.limit)}</text>'
    unit = {name: word("unit", analyte(name).unit) for name in ("ferritin", "tsat")}
    middle = _LEFT + across[-1] / 2
    title = f"{word('analyte', 'tsat')}, {unit['tsat']}"
    yield f'<text class="axis" x="{middle:g}" y="{bottom + 33}">{title}</text>'
    title = f"{word('analyte', 'ferritin')}, {unit['ferritin']}"
    turned = f'transform="translate(10 {_ROOM + up[-1] / 2:g}) rotate(-90)"'
    yield f'<text class="axis" {turned}>{title}</text>'


def legend() -> str:
    """Return which color is which disposition."""
    first, second = COLORS["iv-iron"], COLORS["no-iron"]
    striped = f"repeating-linear-gradient(45deg,{first} 0 5px,{second} 5px 10px)"
    keys = {COLORS[said]: word("disposition", said) for said in DISPOSITIONS}
    keys[striped] = "striped: each remains possible"
    shown = [
        f'<span class="key"><i style="background:{color}"></i>{name}</span>'
        for color, name in keys.items()
    ]
    return f'<p class="legend">{" ".join(shown)}</p>'
