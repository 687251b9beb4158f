"""Every metric there is: its name, its labels, and what it says. ``docs/operating.md`` has the same table.

No label holds a person, a channel, a thread or a turn, and each has few values whatever is asked of Darkroom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

OTHER = "other"
FIRST_MAX = 40
"""So many names of a kind that others make up are told apart."""
NAME_MAX = 60

Form = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Series:
    """One metric; ``name`` as Prometheus stores it, but for what it appends to a histogram's."""

    name: str
    form: Form
    labels: tuple[str, ...]
    says: str
    buckets: tuple[float, ...] = ()
    """Upper bounds in seconds, for a histogram."""


ANSWERS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Slack waits for 3 seconds."""
CALLS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""A call to Slack is given up after 20 seconds."""
RENDERS_S = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 600.0)
TURNS_S = (10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0, 14_400.0)

BUILD = Series(
    "darkroom_build_info",
    "gauge",
    ("version", "python", "sqlite", "mode"),
    "Always 1; its labels say what runs",
)
HEARTBEAT_AGE = Series(
    "darkroom_heartbeat_age_seconds", "gauge", (), "Time since the last sign of life was written down"
)
BOOKS_READABLE = Series(
    "darkroom_books_readable",
    "gauge",
    (),
    "1 if the books could be read for this answer; else what is theirs is missing",
)
DISK_FREE = Series("darkroom_disk_free_bytes", "gauge", (), "Free on the disk with the data directory")
DATABASE_SIZE = Series(
    "darkroom_database_bytes", "gauge", (), "Size of the database, with its write-ahead log"
)

UNFINISHED = Series(
    "darkroom_turns_unfinished", "gauge", ("state",), "Turns whose people are not told yet how they ended"
)
QUEUE = Series("darkroom_queue_turns", "gauge", (), "Turns that wait to be begun")
QUEUE_AGE = Series(
    "darkroom_queue_oldest_seconds",
    "gauge",
    (),
    "For how long the oldest of those has waited; 0 if none waits",
)
STUCK = Series("darkroom_turns_stuck", "gauge", (), "Turns that should have come a step further long ago")
UNDELIVERED = Series(
    "darkroom_turns_undelivered", "gauge", (), "Turns that Slack has not taken, and that are told anew"
)
ARRIVED = Series(
    "darkroom_turns_arrived_total", "counter", ("surface",), "Turns that came, by how they were asked for"
)
ENDED = Series(
    "darkroom_turns_ended_total", "counter", ("outcome", "reason"), "Turns that ended, by how and why"
)
TURN_S = Series(
    "darkroom_turn_seconds", "histogram", ("outcome",), "Time from a turn's arrival to its end", TURNS_S
)

ANSWER_S = Series(
    "darkroom_acknowledgement_seconds",
    "histogram",
    ("kind",),
    "Time from a request of Slack's to our answer",
    ANSWERS_S,
)
UNANSWERED = Series(
    "darkroom_unacknowledged_total",
    "counter",
    ("kind",),
    "Requests of Slack's that were not acknowledged; it sends events again",
)
SLACK_CALLS = Series(
    "darkroom_slack_calls_total",
    "counter",
    ("method", "outcome"),
    "Calls of Slack's Web API; `rate_limited` are its 429s",
)
SLACK_CALL_S = Series(
    "darkroom_slack_call_seconds",
    "histogram",
    ("method",),
    "Time that they took, without the wait for Slack's pace",
    CALLS_S,
)
CONNECTIONS = Series(
    "darkroom_slack_connections_total",
    "counter",
    (),
    "Connections that Slack has greeted (Socket Mode); all but the first are reconnects",
)
CONNECTED = Series(
    "darkroom_slack_connected", "gauge", (), "1 while Slack can reach us: connected, or listening"
)
HTTP_REFUSED = Series(
    "darkroom_http_refused_total", "counter", ("why",), "Requests that were not taken as Slack's (HTTP mode)"
)

RENDER_S = Series(
    "darkroom_render_seconds",
    "histogram",
    ("model", "endpoint", "result"),
    "Time of a call to the image API: a `picture`, `words`, or `failed`",
    RENDERS_S,
)
RENDERING = Series("darkroom_renders_in_flight", "gauge", (), "Calls to the image API that are under way")
FAILURES = Series(
    "darkroom_render_failures_total",
    "counter",
    ("endpoint", "kind", "code"),
    "Calls that failed, by what has to happen next and by the API's own code",
)
OUTAGE = Series("darkroom_outage", "gauge", ("trouble",), "1 while the image API is not called, and why")

ATTEMPTS = Series(
    "darkroom_attempts_total",
    "counter",
    ("model", "endpoint", "end"),
    "Calls by how they ended in the books: `settled`, `released` (cost nothing), `uncertain`",
)
PICTURES = Series("darkroom_pictures_total", "counter", ("model", "endpoint"), "Pictures that were made")
TOKENS = Series("darkroom_tokens_total", "counter", ("token_class",), "Tokens that were charged")
CHARGED = Series(
    "darkroom_charged_nano_usd_total",
    "counter",
    ("token_class",),
    "What was charged, in billionths of a dollar",
)
CORRECTED = Series(
    "darkroom_corrected_nano_usd",
    "gauge",
    (),
    "What admins' corrections of uncertain charges add up to (mostly below 0)",
)
HOLDS = Series("darkroom_holds", "gauge", (), "Calls that money is held for now")
HELD = Series("darkroom_held_nano_usd", "gauge", (), "How much that is")
UNCERTAIN = Series(
    "darkroom_uncertain_attempts",
    "gauge",
    (),
    "Calls that may have been made and paid for, and that no admin has decided about",
)
UNCERTAIN_USD = Series("darkroom_uncertain_nano_usd", "gauge", (), "What is charged for them until then")
PERIOD_CHARGED = Series(
    "darkroom_period_charged_nano_usd", "gauge", (), "What the workspace was charged in the running period"
)
PERIOD_HELD = Series("darkroom_period_held_nano_usd", "gauge", (), "What is held of it")
PERIOD_CAP = Series(
    "darkroom_period_cap_nano_usd", "gauge", (), "Its cap, with grants; missing where there is none"
)

ALL = (
    BUILD,
    HEARTBEAT_AGE,
    BOOKS_READABLE,
    DISK_FREE,
    DATABASE_SIZE,
    UNFINISHED,
    QUEUE,
    QUEUE_AGE,
    STUCK,
    UNDELIVERED,
    ARRIVED,
    ENDED,
    TURN_S,
    ANSWER_S,
    UNANSWERED,
    SLACK_CALLS,
    SLACK_CALL_S,
    CONNECTIONS,
    CONNECTED,
    HTTP_REFUSED,
    RENDER_S,
    RENDERING,
    FAILURES,
    OUTAGE,
    ATTEMPTS,
    PICTURES,
    TOKENS,
    CHARGED,
    CORRECTED,
    HOLDS,
    HELD,
    UNCERTAIN,
    UNCERTAIN_USD,
    PERIOD_CHARGED,
    PERIOD_HELD,
    PERIOD_CAP,
)
"""In the order of their definition."""


class Known:
    """Names that are known beforehand; all others are one."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def of(self, name: str) -> str:
        """*name*, or ``OTHER``."""
        return name if name in self._names else OTHER


CODE = re.compile(r"[a-z]+(?:_[a-z]+)*|http_[1-5]\d\d")
"""What an API's code looks like, or what stands for one where it gives none but a status. Ids have digits,
and are not told apart."""


class FirstSeen:
    """The first names that come and look like *one*, such as an API's codes; all others are one."""

    def __init__(self, one: re.Pattern[str] = CODE, most: int = FIRST_MAX) -> None:
        self._one = one
        self._most = most
        self._names: set[str] = set()

    def of(self, name: str) -> str:
        """*name*, or ``OTHER``."""
        if name not in self._names:
            if len(self._names) >= self._most or len(name) > NAME_MAX or not self._one.fullmatch(name):
                return OTHER
            self._names.add(name)
        return name
