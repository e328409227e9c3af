"""What is of one draw, and what the time of a row is."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from rlsiron import RlsironError
from rlsiron.draws import gather, ranked, read_times, window_of

HOUR = 3_600 * 10**9


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ("2h", 2 * HOUR),
        ("90min", HOUR * 3 // 2),
        (timedelta(hours=2), 2 * HOUR),
        (np.timedelta64(2, "h"), 2 * HOUR),
        ("0h", 0),
        ("P1D", 24 * HOUR),
    ],
)
def test_a_window_is_a_length_of_time(given: object, length: int) -> None:
    assert window_of(given) == length


@pytest.mark.parametrize("given", ["5", 2, 2.0, "-1h", "soon", "NaT", None, [2], True])
def test_what_is_no_length_of_time_is_refused(given: object) -> None:
    """A bare number would be read as nanoseconds."""
    with pytest.raises(RlsironError, match="is no length of time; give one such as '2h'"):
        window_of(given)


def times(*given: object) -> list[tuple[int, int, int]]:
    found = read_times(pd.Series(list(given), dtype=object))
    assert found.step == 1000
    return list(zip(found.kind.tolist(), found.instant.tolist(), found.day.tolist(), strict=True))


def test_a_time_is_read_as_the_draw_of_one_patient_is() -> None:
    eight = 20_514 * 86_400 * 10**6 + 8 * 3_600 * 10**6  # 2026-03-02 is day 20,514 since 1970
    clock = datetime(2026, 3, 2, 8)  # noqa: DTZ001 - with no zone
    assert times("2026-03-02T08:00", " 2026-03-02 08:00:00 ", clock) == [(1, eight, 20_514)] * 3
    midnight = eight - 8 * 3_600 * 10**6
    assert times("2026-03-02", date(2026, 3, 2)) == [(0, midnight, 20_514)] * 2
    zoned = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert times("2026-03-02T08:00Z", zoned) == [(2, eight, 20_514)] * 2
    # its day is that of its own clock
    assert times("2026-03-03T01:00+17:00") == [(2, eight, 20_515)]


@pytest.mark.parametrize(
    "given", ["02/03/2026", "2.3.2026", "2026", "March 2", "", 20260302, 0.5, "1753-01-01", True]
)
def test_a_time_that_is_not_clear_is_not_read(given: object) -> None:
    """Day and month are not told apart by guessing; 1753 is the empty date of some data bases."""
    assert times(given)[0][0] == -1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_column_of_datetimes_is_read_as_the_texts_are(unit: str) -> None:
    texts = ["2026-03-02T08:00", "1969-12-31T23:59", "2026-03-02T23:59"]
    told = read_times(pd.Series(texts, dtype="str"))
    found = read_times(pd.Series(np.array(texts, f"datetime64[{unit}]")))
    assert found.kind.tolist() == told.kind.tolist() == [1, 1, 1]
    assert (found.instant * found.step).tolist() == (told.instant * told.step).tolist()
    assert found.day.tolist() == told.day.tolist() == [20_514, -1, 20_514]


def test_a_column_with_a_zone_has_the_days_of_its_zone() -> None:
    column = pd.Series(pd.to_datetime(["2026-03-02T23:30Z"])).dt.tz_convert("Europe/Berlin")
    found = read_times(column)
    assert (found.kind.tolist(), found.day.tolist()) == ([2], [20_515])
    assert found.instant.tolist() == read_times(pd.Series(["2026-03-02T23:30Z"])).instant.tolist()


def test_a_datetime_of_no_time_of_ours_is_not_read() -> None:
    texts = ["2026-03-02", "NaT", "1753-01-01", "0001-01-01", "20000-01-01", "-0500-01-01"]
    column = pd.Series(np.array(texts, "datetime64[s]"))
    assert read_times(column).kind.tolist() == [1, -1, -1, -1, -1, -1]


def test_cells_are_numbered_in_their_order() -> None:
    assert ranked(pd.Series([30, 4, 30])).tolist() == [1, 0, 1]
    assert ranked(pd.Series(["b", " ", None, "a"], dtype="str")).tolist() == [2, 0, -1, 1]
    assert ranked(pd.Series(["b", 4, "a", 10], dtype=object)).tolist() == [3, 1, 2, 0]
    assert ranked(pd.Series(["b", "a"], dtype="category")).tolist() == [1, 0]


def draws(at: list[int], window: int, patient: list[int] | None = None) -> list[int]:
    column = pd.Series(np.array(at, "datetime64[ns]"))
    draw, _ = gather(np.array(patient or [0] * len(at)), read_times(column), window)
    return [int(one) for one in draw]


def test_a_result_is_of_a_draw_at_exactly_the_window_and_not_a_nanosecond_beyond() -> None:
    assert draws([0, 2 * HOUR, 2 * HOUR + 1], 2 * HOUR) == [0, 0, 1]
    assert draws([5, 6], 0) == [0, 1]
    assert draws([5, 5], 0) == [0, 0]


def test_a_window_runs_from_the_first_result_not_from_the_last() -> None:
    assert draws([0, 6, 12, 18, 24], 12) == [0, 0, 0, 1, 1]


def test_draws_do_not_hang_on_the_order_of_rows() -> None:
    assert draws([24, 0, 18, 6, 12], 12) == [1, 0, 1, 0, 0]


def test_each_patient_has_draws_of_their_own() -> None:
    assert draws([0, 0, 1, 1], 5, [1, 0, 0, 1]) == [1, 0, 0, 1]


def test_chains_of_several_patients_are_parted_each_by_its_own_first() -> None:
    at = [0, 3, 6, 9, 1, 4, 7, 100, 103, 110]
    assert draws(at, 5, [0] * 4 + [1] * 3 + [2] * 3) == [0, 0, 1, 1, 2, 2, 3, 4, 4, 5]


def test_a_step_longer_than_a_nanosecond_takes_the_whole_steps_of_a_window() -> None:
    column = pd.Series(np.array([0, 1, 2], "datetime64[s]"))
    draw, _ = gather(np.zeros(3, int), read_times(column), 1_999_999_999)
    assert draw.tolist() == [0, 0, 1]


def test_a_date_a_time_and_a_time_with_a_zone_are_never_one_draw() -> None:
    column = pd.Series(
        ["2026-03-02T00:00Z", "2026-03-02T00:00", "2026-03-02", "2026-03-03", "2026-03-02"]
    )
    draw, _ = gather(np.zeros(5, int), read_times(column), 0)
    assert draw.tolist() == [3, 2, 0, 1, 0]
    draw, _ = gather(np.zeros(5, int), read_times(column), 24 * HOUR)
    assert draw.tolist() == [2, 1, 0, 0, 0]


def test_texts_of_one_instant_are_in_the_order_of_their_text() -> None:
    zone = timezone(timedelta(hours=1))
    cells = ["2026-03-02T08:00Z", datetime(2026, 3, 2, 9, tzinfo=zone), "2026-03-02T09:00+01:00"]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        column = pd.Series([cells[at] for at in order], dtype=object)
        draw, by_time = gather(np.zeros(3, int), read_times(column), 0)
        assert draw.tolist() == [0, 0, 0]
        assert [order[at] for at in by_time.tolist()] == [1, 0, 2]  # a space is before a T


def test_no_row_is_no_draw() -> None:
    draw, by_time = gather(np.empty(0, int), read_times(pd.Series([], dtype="str")), 0)
    assert (draw.tolist(), by_time.tolist()) == ([], [])
