"""How fast one image model may be called: pictures a minute, learned from what the API says.

Nothing is known at first, and then nothing is held back. Three things teach:

- the headers ``x-ratelimit-{limit,remaining,reset}-images`` (those of ``-requests`` where these are missing).
  Any of them may be missing or nonsense. A limit is kept over every span of a minute, which satisfies an API
  that counts in any other way (a token bucket, fixed windows) too; what others use of the same limit is what
  is neither left nor ours. Where only the rest is told, the limit that follows from it holds for a minute:
  it is a guess, and what a refusal says is left (nothing) is not even that.
- a 429: nobody goes before the time it names, and each in a row waits longer.
- a 429 that no known limit explains: one call after the other, at the distance that the API asked for, and
  twice as fast after each success.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping

WINDOW_S = 62.0
"""A minute, and a little: calls do not take the same time to arrive."""
UNTOLD_WAITS_S = (5.0, 10.0, 20.0, 40.0, 60.0)
"""How long to wait after the first, second, … 429 in a row when the API does not say; after the first also
the least wait, whatever it says."""
LONGEST_WAIT_S = 600.0
"""The longest wait that is believed."""
LIMIT_MAX = 100_000
"""More pictures a minute than any account may make; also bounds what is kept."""
_LONGEST_PACE_S = 30.0
_SHORTEST_PACE_S = 1.0

_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_SPAN = re.compile(
    r"(?:(?P<d>\d{1,9}(?:\.\d{1,9})?)d)?(?:(?P<h>\d{1,9}(?:\.\d{1,9})?)h)?"
    r"(?:(?P<m>\d{1,9}(?:\.\d{1,9})?)m(?!s))?(?:(?P<s>\d{1,9}(?:\.\d{1,9})?)s)?"
    r"(?:(?P<ms>\d{1,9}(?:\.\d{1,9})?)ms)?",
    re.ASCII,
)
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def count_of(value: str | None) -> int | None:
    """A header's count, or None where it is none."""
    text = (value or "").strip()
    return min(int(text), LIMIT_MAX) if _COUNT.fullmatch(text) else None


def told_limit(headers: Mapping[str, str], unit: str) -> int | None:
    """The limit a minute of "images", "requests" or "tokens" that the headers name, as large as it is there;
    None where they name none."""
    text = headers.get(f"x-ratelimit-limit-{unit}", "").strip()
    return int(text) if _COUNT.fullmatch(text) else None


def span_of(value: str | None) -> float | None:
    """Seconds of "12s", "1m30s", "6m0s", "120ms" or "59.7", or None where it is no such thing."""
    text = (value or "").strip().lower()
    found = _SPAN.fullmatch(text if text.endswith(("d", "h", "m", "s")) else f"{text}s")
    if not text or found is None:
        return None
    seconds = sum(float(found[name]) * unit for name, unit in _UNITS.items() if found[name])
    return min(seconds, LONGEST_WAIT_S)


class Bucket:
    """The rate of one image model at one endpoint. Times are monotonic seconds; it waits for nothing."""

    def __init__(self) -> None:
        self._sent: deque[tuple[int, float]] = deque()
        """(number, time) of the calls of the last two minutes: what is heard may be a minute old."""
        self._limit: int | None = None
        self._guess = 0
        """Where no limit is told: how many the rest that was told leaves room for, until then."""
        self._guess_until = 0.0
        self._others = 0
        self._others_until = 0.0
        self._told_by = 0
        """The newest call whose headers were read."""
        self._shut_until = 0.0
        self._shut_after = 0
        """The newest call when it was shut: what becomes of those before says nothing of the time after."""
        self._in_a_row = 0
        self._pace = 0.0
        self._newest = 0
        self._last = float("-inf")

    @property
    def per_minute(self) -> int | None:
        """The limit, if it was told."""
        return self._limit

    def ready_at(self, at: float) -> float:
        """When the next call may go: *at*, or later."""
        earliest = max(at, self._shut_until, self._last + self._pace)
        return max(earliest, self._free_at(earliest))

    def take(self, number: int, at: float) -> None:
        """A call goes now. Numbers grow."""
        self._forget(at)
        self._sent.append((number, at))
        if len(self._sent) > LIMIT_MAX:
            self._sent.popleft()
        self._newest, self._last = number, at

    def give_back(self, number: int) -> None:
        """That call was not made."""
        self._sent = deque(each for each in self._sent if each[0] != number)

    def succeed(self, number: int, headers: Mapping[str, str], at: float) -> None:
        """That call was not refused for its rate."""
        self._hear(number, headers, at, counted=1)
        if number > self._shut_after:
            self._in_a_row = 0
            self._pace = self._pace / 2 if self._pace / 2 >= _SHORTEST_PACE_S else 0.0

    def refuse(self, number: int, headers: Mapping[str, str], told_s: float | None, at: float) -> None:
        """That call was answered with a 429, which asks to wait *told_s* seconds."""
        self._hear(number, headers, at, counted=0)
        self.give_back(number)
        pace = self._pace
        if number > self._shut_after:
            self._in_a_row += 1
            self._shut_after = self._newest
            pace *= 2
        # Of a call from before a success that came first, none is in a row.
        untold = UNTOLD_WAITS_S[min(max(self._in_a_row, 1), len(UNTOLD_WAITS_S)) - 1]
        wait = untold if told_s is None else max(told_s, 1.0 if self._in_a_row < 2 else untold)
        self._shut_until = max(self._shut_until, at + min(wait, LONGEST_WAIT_S))
        if self._free_at(at) <= at:
            self._pace = min(max(wait, pace, _SHORTEST_PACE_S), _LONGEST_PACE_S)

    def _hear(self, number: int, headers: Mapping[str, str], at: float, *, counted: int) -> None:
        """The headers are as old as the call: how many were left then says nothing any more after a
        minute."""
        if number < self._told_by:
            return
        unit = "images" if any(f"x-ratelimit-{name}-images" in headers for name in _NAMES) else "requests"
        limit, left = (count_of(headers.get(f"x-ratelimit-{name}-{unit}")) for name in _NAMES[:2])
        reset = span_of(headers.get(f"x-ratelimit-reset-{unit}"))
        if not limit and left is None:
            return
        self._told_by = number
        self._limit = limit or self._limit
        sent_at = next((time for each, time in self._sent if each == number), at - 2 * WINDOW_S)
        if left is not None and at < sent_at + WINDOW_S:
            sent = [each for each, time in self._sent if time > sent_at - WINDOW_S]
            ours = sum(each < number for each in sent) + counted
            if self._limit is not None:
                self._others = max(0, self._limit - left - ours)
                self._others_until = sent_at + (WINDOW_S if reset is None else reset)
            elif counted:
                self._guess, self._guess_until = max(1, left + ours), sent_at + WINDOW_S

    def _free_at(self, at: float) -> float:
        """When there is room for one more of what may be sent within a minute."""
        guessed = self._limit is None and self._guess_until > at
        limit = self._guess if guessed else self._limit
        if limit is None:
            return at
        goes = sorted(time + WINDOW_S for _, time in self._sent if time + WINDOW_S > at)
        others = self._others if self._others_until > at else 0
        over = len(goes) + others + 1 - limit
        if over <= 0:
            return at
        leave = sorted([*((time, 1) for time in goes), (self._others_until, others)])
        for time, count in leave:
            over -= count
            if over <= 0:
                return min(time, self._guess_until) if guessed else time
        return at

    def _forget(self, at: float) -> None:
        while self._sent and self._sent[0][1] + 2 * WINDOW_S <= at:
            self._sent.popleft()


_NAMES = ("limit", "remaining", "reset")
