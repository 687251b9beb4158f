"""What a named fault is, and the places where faults can happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal

Side = Literal["slack", "openai"]
Value = float | int | str
SIDES: Final[tuple[Side, ...]] = ("slack", "openai")

METHODS: Final = (
    "apps.connections.open",
    "assistant.threads.setStatus",
    "auth.test",
    "bots.info",
    "chat.delete",
    "chat.getPermalink",
    "chat.postEphemeral",
    "chat.postMessage",
    "chat.update",
    "conversations.history",
    "conversations.info",
    "conversations.join",
    "conversations.list",
    "conversations.members",
    "conversations.open",
    "conversations.replies",
    "files.completeUploadExternal",
    "files.delete",
    "files.getUploadURLExternal",
    "files.info",
    "reactions.add",
    "reactions.get",
    "reactions.remove",
    "team.info",
    "users.info",
    "users.list",
    "views.open",
    "views.publish",
    "views.push",
    "views.update",
)
"""The Web API of the sandbox's Slack."""
ADDRESSES: Final = ("upload", "download", "response_url")
"""Slack's other doors: the POST of a file's bytes, the GET of a file, an answer to a command or a click."""
DELIVERIES: Final = ("events_api", "slash_commands", "interactive")
"""What Slack sends over a socket, by the kind of its envelope."""
HELLO: Final = "hello"
"""The moment in which a socket has been opened."""
RESPONSES: Final = ("responses",)
PICTURES: Final = ("responses", "images.generations", "images.edits")
ENDPOINTS: Final = (*PICTURES, "responses.retrieve", "responses.delete", "models", "organization.costs")
"""The image API's endpoints."""
PLACES: Final[Mapping[Side, tuple[str, ...]]] = {
    "slack": (*METHODS, *ADDRESSES, *DELIVERIES, HELLO),
    "openai": ENDPOINTS,
}


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a fault: its default, what it is, and which values are taken.

    A number lies from `low` to `high`, and is whole where the default is; a text is one of `choices`, or with
    none of them any of up to 200 characters.
    """

    default: Value
    about: str
    low: float = 0.0
    high: float = 100_000.0
    choices: tuple[str, ...] = ()

    def refusal(self, given: object) -> str | None:
        """Why this value is not taken; None when it is."""
        if isinstance(self.default, str):
            if not isinstance(given, str) or len(given) > 200:
                return "must be a text of at most 200 characters"
            if self.choices and given not in self.choices:
                return f"must be one of {', '.join(self.choices)}"
            return None
        whole = isinstance(self.default, int)
        if isinstance(given, bool) or not isinstance(given, int if whole else (int, float)):
            return f"must be a {'whole ' if whole else ''}number"
        if not self.low <= given <= self.high:
            return f"must be from {self.low:g} to {self.high:g}"
        return None


@dataclass(frozen=True, slots=True)
class Named:
    """A fault with a name: what it does in one line, where it can happen, and its arguments.

    `where` are the places in which it makes sense; `usual` those that `on = "*"` means (all of `where` when
    it is empty).
    """

    side: Side
    name: str
    about: str
    where: tuple[str, ...]
    usual: tuple[str, ...] = ()
    args: Mapping[str, Arg] = field(default_factory=dict)

    def places(self, on: str) -> frozenset[str]:
        """The places that `on` means for this fault: a name, a pattern such as `chat.*`, or `*`."""
        if on == "*":
            return frozenset(self.usual or self.where)
        return frozenset(place for place in self.where if fnmatchcase(place, on))
