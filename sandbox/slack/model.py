"""What a Slack workspace consists of: people, channels, messages, files, and the records kept for tests."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.slack.held import NOTHING, Held

if TYPE_CHECKING:
    from sandbox.slack.state import State

Json = dict[str, Any]
ChannelKind = Literal["channel", "group", "im", "mpim"]

SLACKBOT = "USLACKBOT"
OTHER_APP = "U0OTHERAPP"
OTHER_BOT_ID = "B0OTHERAPP"


@dataclass(frozen=True)
class User:
    """One person, or a bot's own user, as `users.info` knows them."""

    id: str
    name: str
    real_name: str
    team_id: str
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Edited:
    """Who changed a message last, and when (a Slack timestamp)."""

    user: str
    ts: str


@dataclass
class Message:
    """A message everybody in its channel can see. `ts` is its identity inside the channel."""

    channel: str
    ts: str
    user: str
    text: str
    team: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    client_msg_id: str | None = None
    files: list[str] = field(default_factory=list)
    metadata: Json | None = None
    edited: Edited | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    broadcast: bool = False
    broken_files: list[str] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        """Whether this is an answer inside a thread (the parent itself is not)."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Ephemeral:
    """A message only `user` sees. It has no place in the channel's history and cannot hold a file."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    author: str = SLACKBOT


@dataclass
class Channel:
    """A conversation. `messages` is in the order of `ts`, `replies` sorts them by the parent's ts;
    `shared_with` are other teams (Slack Connect)."""

    id: str
    name: str
    kind: ChannelKind
    members: set[str]
    archived: bool = False
    shared_with: frozenset[str] = frozenset()
    messages: dict[str, Message] = field(default_factory=dict)
    replies: dict[str, list[Message]] = field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether people of another workspace are in it."""
        return bool(self.shared_with)


@dataclass
class File:
    """An uploaded file. `mimetype` and friends stay hidden until `processed` (the malware scan is over).

    `shown_as_stub`: events name it without describing it (Slack Connect); `handed_over`: it was put into a
    modal's file input, and so the app may read it; `scan_s`: how long its scan takes, None as long as any;
    `held`: its bytes, which may be on the disk.
    """

    id: str
    name: str
    title: str
    user: str
    length: int
    created: int
    upload_key: str
    held: Held = NOTHING
    sha256: str = ""
    uploaded: bool = False
    completed: bool = False
    processed: bool = False
    mimetype: str = ""
    width: int = 0
    height: int = 0
    alt_txt: str | None = None
    shares: dict[str, list[str]] = field(default_factory=dict)
    deleted: bool = False
    shown_as_stub: bool = False
    handed_over: bool = False
    scan_s: float | None = None

    @property
    def data(self) -> bytes:
        """Its bytes; empty before they arrive and after it was deleted."""
        return self.held.read()


@dataclass
class ResponseUrl:
    """Where an answer to one interaction may be sent: `uses` left, until `expires` (seconds)."""

    key: str
    channel: str
    user: str
    expires: float
    uses: int
    message_ts: str | None = None
    thread_ts: str | None = None
    ephemeral_source: bool = False


@dataclass
class Trigger:
    """A trigger id: opens one view, once, within 3 seconds. `channel` is where the person was, `view_id` the
    modal in which it came to be."""

    id: str
    user: str
    expires: float
    used: bool = False
    channel: str | None = None
    view_id: str | None = None


@dataclass(frozen=True)
class Shortcut:
    """One entry of the app's shortcut menus: in the menu of a message, or everywhere."""

    callback_id: str
    name: str
    kind: Literal["message", "global"]


@dataclass(frozen=True)
class Notification:
    """`user` was pinged by the new message `ts`: by name, by <!channel>/<!here>, or because it is a DM."""

    user: str
    channel: str
    ts: str
    kind: Literal["mention", "channel", "here", "dm"]


@dataclass(frozen=True)
class CallRecord:
    """One Web API call as it was answered. `params` carry no token; `error` is None when it was ok."""

    method: str
    params: Json
    error: str | None
    status: int
    at: float


@dataclass(frozen=True)
class Ack:
    """One acknowledgement that came back over a socket, `elapsed_ms` after the envelope went out."""

    envelope_id: str
    kind: str
    elapsed_ms: float
    payload: Json | None
    retry_attempt: int
    late: bool


@dataclass(frozen=True)
class ApiAnswer:
    """The answer to a Web API call: HTTP status, JSON body, extra headers; or an HTML `page` instead."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    page: str | None = None

    @property
    def ok(self) -> bool:
        """Slack's own verdict: errors come with HTTP 200."""
        return bool(self.body.get("ok"))


@dataclass(frozen=True)
class HttpAnswer:
    """The answer of an upload URL, a download or a response_url.

    `cut_after` bytes the connection is closed although `body` was announced whole; with `pause_s` the body
    comes in ten pieces with such pauses between them; `endless` repeats it until nobody reads any more.
    """

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    pause_s: float = 0.0
    endless: bool = False


@dataclass
class Fault:
    """Something that goes wrong once (or `times` times) with a method; put it in `workspace.faults`.

    `error` answers with that error code, `status`/`headers`/`body`/`page` shape the answer by hand, `done`
    lets the work be done before that; `drop="before"` cuts the connection without any effect, `drop="after"`
    does the work and then cuts it (an unclear post); `delay_s` answers late. `first` happens in the workspace
    just before the call, which then goes on. `when` narrows it to calls whose parameters it accepts. `method`
    may be a Web API method, "upload", "download" or "response_url"; "*" is any of them.
    """

    method: str
    error: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    drop: Literal["before", "after"] | None = None
    delay_s: float = 0.0
    times: int = 1
    when: Callable[[Json], bool] | None = None
    done: bool = False
    page: str | None = None
    first: Callable[["State", Json], Awaitable[None]] | None = None

    @property
    def answers(self) -> bool:
        """Whether it answers by itself, in place of the method."""
        shaped = self.body is not None or self.page is not None or self.status != 200
        return self.drop is None and (bool(self.error) or shaped)


@dataclass(frozen=True)
class Seen:
    """What a person sees after a command or a click.

    `error` is Slack's own failure ("operation_timeout", "dispatch_failed", "not_in_thread", …); `text` and
    `ephemeral` are what came back with the acknowledgement; `payload` is what the app was sent (for a modal
    that was submitted: its answer). `asked` is the dialog that the client showed before it sent anything.
    """

    error: str | None = None
    text: str = ""
    ephemeral: Ephemeral | None = None
    message: Message | None = None
    payload: Json = field(default_factory=dict)
    envelope_id: str | None = None
    asked: Json | None = None


class Dropped(ConnectionError):
    """The connection went away before the answer came (a Fault with `drop`)."""


class Refused(Exception):
    """The person cannot do this in Slack's client at all; the text says why."""


class ApiError(Exception):
    """A Web API refusal: `code` as Slack spells it, `extra` as further fields of the body."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra
