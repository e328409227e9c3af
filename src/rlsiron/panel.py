"""The panel of one draw: transferrin saturation from its parts, cross-checks, and windows.

Several readings of one quantity become the interval that holds them all. A value that must not be
read, because of what was given before the draw, is unknown. Nothing is corrected or picked.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cache
from math import ceil, inf
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from rlsiron import units
from rlsiron.catalog import document
from rlsiron.guideline import Window, windows
from rlsiron.models import Bound, Draw, LabResult, Panel
from rlsiron.patient import EVENTS, Intake, elapsed, instant
from rlsiron.units import settle
from rlsiron.wording import phrases

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Event = tuple[str, Mapping[str, object]]
"""The code of a note, and what its text is filled with."""


_PARTS = frozenset({"iron", "tibc"})  # without one of them there is nothing to compute or compare


class Reading(NamedTuple):
    """An interval before its open ends are stepped inward, and where it comes from."""

    low: float
    high: float
    low_open: bool
    high_open: bool
    source: str

    def __str__(self) -> str:
        """Return the interval, and where it comes from."""
        span = f"{self.low:.6g}" if self.low == self.high else f"{self.low:.6g} to {self.high:.6g}"
        names = phrases("analyte")
        source = "/".join(names.get(part, part) for part in self.source.split("/"))
        return f"{span} % ({source})"


def assemble(results: Mapping[str, LabResult], told: Intake) -> tuple[Panel, list[Event]]:
    """Return the panel of one draw, and what is to be noted of it.

    Parameters
    ----------
    results
        The results that were given, by analyte.
    told
        The patient and the draw, for what was given before it.
    """
    events: list[Event] = []
    tsat, source = _saturation(results, events)
    used = {"ferritin": results.get("ferritin"), "tsat": tsat}
    _close_windows(used, told, events)
    if used["tsat"] and not used["tsat"].missing:
        events += drawing(told.draw)
    panel = Panel.trusted(
        drawn=told.draw.drawn,
        fasting=told.draw.fasting,
        assay=told.draw.assay,
        reported=results,
        ferritin=used["ferritin"],
        tsat=used["tsat"],
        tsat_source=source,
    )
    return panel, events


@cache
def _rule(name: str) -> Any:  # noqa: ANN401 - a number, a pair of numbers, or a limit
    return document("facts.toml").data["tsat"][name]


@cache
def _most() -> float:
    """Return the greatest transferrin saturation that there is [%]."""
    maximum = units.analyte("tsat").maximum
    return maximum.value if maximum else inf


def _interval(results: Mapping[str, LabResult], name: str) -> Reading | None:
    """Return a result that was read as a value or a bound; None for one missing or not given."""
    result = results.get(name)
    if result is None or result.low is None:
        return None
    high = (_most() if name == "tsat" else inf) if result.high is None else result.high
    return Reading(result.low, high, result.low_open, result.high_open, "reported")


def _saturation(
    results: Mapping[str, LabResult], events: list[Event]
) -> tuple[LabResult | None, str]:
    """Return the transferrin saturation as it is used, and where it comes from."""
    if results.keys().isdisjoint(_PARTS):
        result = results.get("tsat")
        return result, "reported" if result and not result.missing else ""
    reported, iron, tibc, uibc, transferrin = (
        _interval(results, name) for name in ("tsat", "iron", "tibc", "uibc", "transferrin")
    )
    if tibc and transferrin:
        _compare_capacities(tibc, transferrin, events)
    computed = []
    if iron and tibc:
        computed.append(_over_capacity(iron, tibc, "iron/tibc"))
    if iron and uibc:
        computed.append(_over_free_capacity(iron, uibc))
    readings = [reading for raw in computed if (reading := _within(raw, events))]
    if iron and transferrin and (reported or not (tibc or uibc)):
        derived = _within(_over_transferrin(iron, transferrin), events)
        if reported and derived and _gap(reported, derived) > 0:
            events.append(("tsat-outside-transferrin", {"low": derived.low, "high": derived.high}))
        if derived and not reported:
            events.append(("tsat-from-transferrin", {"low": derived.low, "high": derived.high}))
            readings.append(derived)
    result = results.get("tsat")
    if reported and result and not any(_same(result, reading) for reading in readings):
        readings.insert(0, reported)
    if readings in ([], [reported]):
        return result, "reported" if reported else ""
    return _joined(readings, events), "+".join(reading.source for reading in readings)


def _over_capacity(iron: Reading, capacity: Reading, source: str) -> Reading:
    """Return 100 * iron / capacity: each end with the end of the other that bounds it."""
    low = _percent(iron.low, capacity.high)
    high = _percent(iron.high, capacity.low)
    return Reading(
        low,
        high,
        low > 0 and (iron.low_open or capacity.high_open),
        iron.high_open or capacity.low_open,
        source,
    )


@overload
def saturation(iron: float, capacity: float) -> float: ...
@overload
def saturation(
    iron: "NDArray[np.float64]", capacity: "NDArray[np.float64]"
) -> "NDArray[np.float64]": ...
def saturation(
    iron: "float | NDArray[np.float64]", capacity: "float | NDArray[np.float64]"
) -> "float | NDArray[np.float64]":
    """Return how much of the binding capacity iron takes [%], exact on a whole percent.

    Parameters
    ----------
    iron, capacity
        Numbers in one unit, or arrays of 64-bit floats; a capacity is more than 0.

    Examples
    --------
    >>> saturation(58.0, 200.0)
    29.0
    """
    return 100 * iron / capacity


def _percent(iron: float, capacity: float) -> float:
    """Return a saturation; 0 of an unbounded capacity."""
    if capacity == inf:
        return 0.0
    return saturation(iron, capacity) if capacity else inf


def _over_free_capacity(iron: Reading, free: Reading) -> Reading:
    """Return 100 * iron / (iron + free capacity)."""
    return Reading(
        _percent(iron.low, iron.low + free.high) if iron.low else 0.0,
        _percent(iron.high, iron.high + free.low) if iron.high < inf else _most(),
        iron.low > 0 and free.high < inf and (iron.low_open or free.high_open),
        (iron.high_open or free.low_open) and (free.low > 0 or free.low_open),
        "iron/uibc",
    )


def _over_transferrin(iron: Reading, transferrin: Reading) -> Reading:
    """Return the transferrin saturation of the molar binding sites, over the published spread."""
    low_share, high_share = _rule("spread")
    capacity = transferrin._replace(
        low=transferrin.low * _sites(), high=transferrin.high * _sites()
    )
    molar = _over_capacity(iron, capacity, "iron/transferrin")
    return molar._replace(low=molar.low * low_share, high=molar.high * high_share)


@cache
def _sites() -> float:
    """Return the iron [µg/dL] that transferrin [g/L] can bind, by the molar masses of both."""
    iron, transferrin = (Fraction(*units.factor(n, "umol/L")) for n in ("iron", "transferrin"))
    return float(_rule("irons_on_transferrin") * iron / transferrin)


def _within(reading: Reading, events: list[Event]) -> Reading | None:
    """Return a computed reading, settled and ended at 100 %; None where it lies wholly over."""
    low, high = settle(reading.low), settle(reading.high)
    if low > _most() or (low == _most() and reading.low_open):
        events.append(("tsat-over-100", {"source": reading.source, "low": low}))
        return None
    if high > _most():
        return reading._replace(low=low, high=_most(), high_open=False)
    if low == high:  # an interval narrower than the grid holds its one value
        return reading._replace(low=low, high=high, low_open=False, high_open=False)
    return reading._replace(low=low, high=high)


def _same(reported: LabResult, reading: Reading) -> bool:
    """Whether a reported value is a computed one, rounded to its last printed digit."""
    return (
        reported.is_point
        and reading.low == reading.high
        and is_same(reading.low, reported.low or 0.0, reported.half_step)
    )


@overload
def is_same(computed: float, reported: float, half_step: float) -> bool: ...
@overload
def is_same(
    computed: "NDArray[np.float64]",
    reported: "NDArray[np.float64]",
    half_step: "NDArray[np.float64]",
) -> "NDArray[np.bool_]": ...
def is_same(computed: Any, reported: Any, half_step: Any) -> Any:
    """Return whether a reported point is a computed one, rounded to its last printed digit.

    Parameters
    ----------
    computed, reported, half_step
        Numbers in one unit, or arrays of 64-bit floats.

    Examples
    --------
    >>> is_same(18.0451, 18.0, 0.5), is_same(18.0451, 18.0, 0.045)
    (True, False)
    """
    return settle(abs(computed - reported)) <= half_step


def _gap(first: Reading, second: Reading) -> float:
    """Return how far two readings are apart for certain; 0 where they overlap."""
    return max(0.0, first.low - second.high, second.low - first.high)


def _joined(readings: list[Reading], events: list[Event]) -> LabResult:
    """Return the interval that holds all the readings, and note where they differ."""
    low = min((reading.low, reading.low_open) for reading in readings)
    high = max((reading.high, not reading.high_open) for reading in readings)
    if len({reading[:4] for reading in readings}) > 1:
        filling = {"low": low[0], "high": high[0], "readings": readings}
        least = min(reading.high for reading in readings)
        greatest = max(reading.low for reading in readings)
        far = settle(max(0.0, greatest - least)) > _differ()
        events.append(("tsat-readings-far-apart" if far else "tsat-readings-differ", filling))
        if greatest > settle(_rule("suspect") * least):
            events.append(("tsat-unit-suspected", filling))
    return LabResult.trusted(
        analyte="tsat",
        reported="; ".join(map(str, readings)),
        unit=units.analyte("tsat").unit,
        low=low[0],
        high=high[0],
        low_open=low[1],
        high_open=not high[1],
        bound=_bound(low, high),
        half_step=0.0,
        missing="",
        codes=(),
    )


@cache
def _differ() -> float:
    number, unit = _rule("differ").split()
    return settle(float(number), units.factor("tsat", unit))


def _bound(low: tuple[float, bool], high: tuple[float, bool]) -> Bound:
    """Return the comparator of an interval with one end that says nothing."""
    if low[0] == high[0]:
        return ""
    if low[0] == 0:
        return "<=" if high[1] else "<"
    if high[0] == _most():
        return ">" if low[1] else ">="
    return ""


def _compare_capacities(tibc: Reading, transferrin: Reading, events: list[Event]) -> None:
    """Note a TIBC that does not fit the transferrin."""
    least, most = _rule("tibc_per_transferrin")
    lowest = transferrin._replace(low=settle(least * transferrin.low))
    highest = transferrin._replace(high=settle(most * transferrin.high))
    if _surely_less(tibc, lowest) or _surely_less(highest, tibc):
        events.append(("tibc-unlike-transferrin", {"least": least, "most": most}))


def _surely_less(first: Reading, second: Reading) -> bool:
    """Whether every value of one interval is under every value of another."""
    open_ends = first.high_open or second.low_open
    return first.high < second.low or (first.high == second.low and open_ends)


def _close_windows(used: dict[str, LabResult | None], told: Intake, events: list[Event]) -> None:
    """Make unknown what must not be read, and note when it can be."""
    if told.patient.model_fields_set.isdisjoint(EVENTS) and told.unread.isdisjoint(EVENTS):
        return
    hidden: set[str] = set()
    for window in windows():
        event: date | None = getattr(told.patient, window.after)
        if (event is None and window.after not in told.unread) or window.after in hidden:
            continue
        drawn = told.draw.drawn
        dated = event is not None and drawn is not None
        if event is not None and drawn is not None:
            standing = _standing(event, drawn, window)
        else:
            standing = "within" if window.hides else "past"
        read = {
            name: result
            for name in window.hides
            if (result := used[name]) is not None and not result.missing
        }
        filling = {
            "after": window.after,
            "results": list(read),
            "lasts": window.text,
            "from": end_of(event, drawn, window.lasts) if event else None,
            "sources": window.sources,
            "verified": window.verified,
        }
        if standing == "within" and window.hides:
            hidden.add(window.after)
            used.update({name: _unread(result, window) for name, result in read.items()})
            if read:
                events.append((window.code if dated else f"{window.code}-undated", filling))
        elif standing == "near" or (standing == "within" and not window.hides):
            events.append((f"{window.code}-read", filling))


def drawing(draw: Draw) -> list[Event]:
    """Return what is to be noted of a saturation by how and when it was drawn."""
    events: list[Event] = []
    if draw.fasting is False:
        events.append(("not-fasting", {}))
    if isinstance(draw.drawn, datetime):
        first, last = map(time.fromisoformat, document("facts.toml").data["draw"]["stable"])
        clock = draw.drawn.time()
        if not first <= clock <= last:
            said = {"time": clock, "from": first, "to": last}
            events.append(("drawn-late", {name: f"{at:%H:%M}" for name, at in said.items()}))
    return events


def _standing(event: date, drawn: date, window: Window) -> Literal["within", "near", "past"]:
    """Return whether a draw lies in a window, or, for want of a time of day, may lie in it."""
    since = elapsed(event, drawn)
    if since < window.lasts:
        return "within"
    timed = isinstance(event, datetime) and isinstance(drawn, datetime)
    if window.by_the_clock and not timed and since - timedelta(days=1) < window.lasts:
        return "near"
    return "past"


def end_of(event: date, drawn: date | None, lasts: timedelta) -> str:
    """Return when a time after an event is over: a time where both have one, else a date."""
    if isinstance(event, datetime) and (drawn is None or isinstance(drawn, datetime)):
        until = instant(event) + lasts
        return (until.astimezone(event.tzinfo) if event.tzinfo else until).isoformat(sep=" ")
    day = event.date() if isinstance(event, datetime) else event
    return (day + timedelta(days=ceil(lasts / timedelta(days=1)))).isoformat()


def _unread(result: LabResult, window: Window) -> LabResult:
    """Return a result whose value must not be read."""
    unread = {"low": None, "high": None, "low_open": False, "high_open": False, "bound": ""}
    return result.model_copy(update={**unread, "half_step": 0.0, "missing": window.code})
