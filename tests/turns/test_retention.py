"""What is old enough to be deleted, and in which portions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from darkroom.turns.retention import BATCH, Before, Counts, Gone, Keep, Retention
from tests.turns.virtual import VirtualClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

DAYS = st.none() | st.integers(1, 36_500)
KEEPS = st.builds(Keep, DAYS, DAYS, DAYS)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis wants bounds without a zone


def never_after(one: datetime | None, other: datetime | None) -> bool:
    """Whether whatever is older than *one* is older than *other*, too."""
    return one is None or (other is not None and one <= other)


@given(KEEPS, MOMENTS)
def test_a_request_that_is_old_enough_takes_its_pictures_and_words_with_it(keep: Keep, now: datetime) -> None:
    before = keep.before(now)
    assert never_after(before.turns, before.pictures)
    assert never_after(before.turns, before.words)


@given(KEEPS, MOMENTS)
def test_nothing_is_old_enough_before_its_days_are_over(keep: Keep, now: datetime) -> None:
    before = keep.before(now)
    for moment, days in (
        (before.pictures, (keep.pictures_days, keep.turns_days)),
        (before.words, (keep.prompts_days, keep.turns_days)),
        (before.turns, (keep.turns_days,)),
    ):
        said = [each for each in days if each is not None]
        assert moment == (now - timedelta(days=min(said)) if said else None)


@given(KEEPS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_what_is_old_enough_once_is_so_ever_after(keep: Keep, now: datetime, later: timedelta) -> None:
    earlier, after = keep.before(now), keep.before(now + later)
    assert never_after(earlier.pictures, after.pictures)
    assert never_after(earlier.words, after.words)
    assert never_after(earlier.turns, after.turns)


@given(KEEPS, MOMENTS, st.integers(1, 400))
def test_who_keeps_less_deletes_no_less(keep: Keep, now: datetime, fewer: int) -> None:
    less = Keep(
        *(days and max(1, days - fewer) for days in (keep.pictures_days, keep.prompts_days, keep.turns_days))
    )
    wide, narrow = keep.before(now), less.before(now)
    assert never_after(wide.pictures, narrow.pictures)
    assert never_after(wide.words, narrow.words)
    assert never_after(wide.turns, narrow.turns)


def test_kept_for_ever_nothing_is_ever_old_enough() -> None:
    keep = Keep()
    before = keep.before(NOON)
    assert keep.for_ever
    assert (before.pictures, before.words, before.turns) == (None, None, None)
    assert not any(Keep(*days).for_ever for days in ((1, None, None), (None, 1, None), (None, None, 1)))


class Heap:
    """A book that has so many of each, and says in what portions they went."""

    def __init__(self, **there: int) -> None:
        self.there = {"pictures": 0, "words": 0, "comments": 0, "turns": 0} | there
        self.there |= {"threads": 150, "rows": 250}
        self.portions: dict[str, list[int]] = {name: [] for name in self.there}

    def take(self, name: str, most: int) -> Gone:
        took = min(most, self.there[name])
        self.there[name] -= took
        self.portions[name].append(took)
        return Gone(took, frozenset({f"U{name}"} if took else ()), ((name, "png"),) if took else ())

    async def count(self, before: Before) -> Counts:
        return Counts(*(self.there[name] for name in ("pictures", "words", "comments", "turns")))

    async def erase_pictures(self, before: Before, most: int) -> Gone:
        return self.take("pictures", most)

    async def take_words(self, before: Before, most: int) -> Gone:
        return self.take("words", most)

    async def take_comments(self, before: Before, most: int) -> Gone:
        return self.take("comments", most)

    async def forget_turns(self, before: Before, most: int) -> Gone:
        return self.take("turns", most)

    async def forget_threads(self, before: Before, most: int) -> Gone:
        return self.take("threads", most)

    async def drop_rows(self, before: Before, most: int) -> Gone:
        return self.take("rows", most)


@given(
    st.fixed_dictionaries({name: st.integers(0, 350) for name in ("pictures", "words", "comments", "turns")}),
    st.none() | st.integers(1, 300),
)
async def test_a_run_takes_all_there_is_in_portions_and_pictures_no_more_than_it_may(
    there: dict[str, int], pictures_max: int | None
) -> None:
    heap, removed = Heap(**there), list[str]()

    async def remove(sha256: str, suffix: str) -> bool:
        removed.append(sha256)
        return True

    outcome = await Retention(heap, Keep(1, 1, 1), VirtualClock(), remove).run(pictures_max)
    pictures = there["pictures"] if pictures_max is None else min(there["pictures"], pictures_max)
    assert outcome.counts == Counts(pictures, there["words"], there["comments"], there["turns"])
    assert heap.there["pictures"] == there["pictures"] - pictures
    assert outcome.more or heap.there["pictures"] == 0
    assert all(portion <= BATCH for portions in heap.portions.values() for portion in portions)
    assert set(removed) == {name for name in ("words", "turns") if there[name]}
    assert outcome.user_ids == {f"U{name}" for name in ("pictures", "words") if there[name]}
    assert (heap.there["threads"], heap.there["rows"]) == (0, 0)
