"""Slack's numbers: sizes, rate tiers, deadlines. Checked against docs.slack.dev in November 2026."""

import math
from collections import defaultdict, deque
from typing import Any, Final

DEFAULT_SCOPES: Final = frozenset(
    {
        "commands",
        "app_mentions:read",
        "chat:write",
        "files:write",
        "files:read",
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
        "reactions:write",
        "users:read",
    }
)
"""What an app has that declares nothing else."""
HISTORY: Final = {
    "channel": "channels:history",
    "group": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}
"""The scope for the messages of each kind of conversation."""

TEXT_MAX: Final = 40_000
UPDATE_TEXT_MAX: Final = 4_000
METADATA_MAX_BYTES: Final = 8_000
BLOCKS_MESSAGE: Final = 50
BLOCKS_VIEW: Final = 100
VIEW_LABEL_MAX: Final = 24
PRIVATE_METADATA_MAX: Final = 3_000
VIEWS_STACKED: Final = 3
FILES_PER_COMPLETION: Final = 10
FILE_MAX_BYTES: Final = 1_000_000_000
REACTIONS_PER_PERSON: Final = 23
REPLIES_PAGE_MAX: Final = 1_000

ACK_TIMEOUT_S: Final = 3.0
TRIGGER_S: Final = 3.0
RESPONSE_URL_S: Final = 30 * 60.0
RESPONSE_URL_USES: Final = 5
STATUS_S: Final = 120.0
EVENT_RETRIES_S: Final = (0.0, 60.0, 300.0)
SOCKETS_MAX: Final = 10
RECORDS_MAX: Final = 10_000
UPLOADS_MAX: Final = 1_000

PER_MINUTE: Final = {"T1": 1, "T2": 20, "T3": 50, "T4": 100}
TIERS: Final = {
    "apps.connections.open": "T1",
    "chat.update": "T3",
    "chat.delete": "T3",
    "chat.postEphemeral": "T4",
    "bots.info": "T3",
    "conversations.info": "T3",
    "conversations.join": "T3",
    "conversations.list": "T2",
    "conversations.members": "T4",
    "conversations.open": "T3",
    "conversations.history": "T3",
    "conversations.replies": "T3",
    "files.getUploadURLExternal": "T4",
    "files.completeUploadExternal": "T4",
    "files.info": "T4",
    "files.delete": "T3",
    "reactions.add": "T3",
    "reactions.get": "T3",
    "reactions.remove": "T2",
    "team.info": "T3",
    "users.info": "T4",
    "users.list": "T2",
    "views.open": "T4",
    "views.push": "T4",
    "views.update": "T4",
    "views.publish": "T4",
}
SPECIAL_PER_MINUTE: Final = {
    "auth.test": 300,
    "chat.getPermalink": 300,
    "assistant.threads.setStatus": 600,
    "apps.connections.open": SOCKETS_MAX,  # tier 1 tolerates the burst of an app that opens all it may have
}
POST_BURST: Final = 4
POST_PER_SECOND: Final = 1.0


def forget_oldest(kept: dict[str, Any] | list[Any]) -> None:
    """Hold a collection to RECORDS_MAX entries."""
    while len(kept) > RECORDS_MAX:
        if isinstance(kept, list):
            kept.pop(0)
        else:
            del kept[next(iter(kept))]


class RateLimiter:
    """Counts calls per method over the last minute, and posts per channel as a bucket of `POST_BURST`."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, method: str, channel: str, now: float) -> int:
        """Take one call at `now`; 0 when it may go ahead, else whole seconds for `Retry-After`."""
        if method == "chat.postMessage":
            return self._take_post(channel, now)
        allowed = SPECIAL_PER_MINUTE.get(method) or PER_MINUTE[TIERS.get(method, "T3")]
        recent = self._calls[method]
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= allowed:
            return max(1, math.ceil(recent[0] + 60 - now))
        recent.append(now)
        return 0

    def _take_post(self, channel: str, now: float) -> int:
        tokens, at = self._buckets.get(channel, (float(POST_BURST), now))
        forget_oldest(self._buckets)
        tokens = min(float(POST_BURST), tokens + (now - at) * POST_PER_SECOND)
        if tokens < 1:
            self._buckets[channel] = (tokens, now)
            return max(1, math.ceil((1 - tokens) / POST_PER_SECOND))
        self._buckets[channel] = (tokens - 1, now)
        return 0
