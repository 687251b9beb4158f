"""What can go wrong on request: one-shot faults, and the record of each call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.images.asked import Asked, asked

Json = dict[str, Any]

RESPONSES = "responses"
RETRIEVE = "responses.retrieve"
DELETE = "responses.delete"
GENERATIONS = "images.generations"
EDITS = "images.edits"
MODELS = "models"
COSTS = "organization.costs"


@dataclass(frozen=True)
class Fault:
    """What the next matching call meets, once. Fields that are not set change nothing; several may be set.

    - `endpoint`: the name of the endpoint that meets it (`responses`, `responses.retrieve`,
      `images.generations`, `images.edits`, `models`, `organization.costs`, …); None is any. `match` may
      look at the body too.
    - `delay`: seconds to wait before anything else; `pause`: seconds before each event of the stream.
    - `allow`: from now on so many pictures a minute (0: no limit); `forget`: every response is forgotten.
    - `status`, `body`, `headers`: this answer instead; nothing is generated or billed. `raw`: these bytes for
      a body. `late`: it is given once the work was done, and billed. `headers` alone go with the real answer.
    - `drop_before`: the connection ends before the request was taken; nothing is generated or billed.
    - `unreachable`: for so many seconds nobody can connect, and nothing of the call is sent (`NotConnected`).
      Over HTTP it has been sent, and is dropped as with `drop_before`; whoever calls next finds nobody.
    - `silent`: never an answer, not even headers, until the caller goes away; nothing is generated.
    - `events`: this raw stream instead, each a stream event or `{"event": …, "data": …}`; nothing is billed.
      A response in it without an id gets one.
    - `drop_at_end`: all but the last event come; the generation goes on likewise.
    - `strange_events`: event types that nobody knows come among the others.
    - `drop_after`: the connection ends after so many events (0: after the headers; an answer that is not
      streamed: instead of the answer). The generation goes on, is billed, and can be fetched.
    - `silent_after`: after so many events nothing more comes, for ever. The generation goes on likewise.
    - `hang`: the generation itself never ends: two events come, and `GET` says `in_progress` for ever.
    - `omit_tool_usage`, `omit_usage`, `omit_details`: what the final usage leaves out; the bill stays.
    - `blocked`: the picture's item ends as refused by the moderation.
    - `spoil`: what becomes of the finished picture's bytes: the text that stands for base64.
    - `no_picture`: the response completes with an empty message in place of the picture.
    - `stuck_status`: the picture's item ends as `generating` and `.completed` never comes.
    """

    endpoint: str | None = None
    match: Callable[[Mapping[str, Any]], bool] | None = None
    delay: float = 0.0
    status: int | None = None
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_before: bool = False
    unreachable: float | None = None
    silent: bool = False
    events: Sequence[Mapping[str, Any]] | None = None
    drop_after: int | None = None
    silent_after: int | None = None
    hang: bool = False
    omit_tool_usage: bool = False
    omit_usage: bool = False
    omit_details: bool = False
    no_picture: bool = False
    stuck_status: bool = False
    pause: float = 0.0
    allow: int | None = None
    forget: bool = False
    raw: bytes | None = None
    late: bool = False
    drop_at_end: bool = False
    strange_events: bool = False
    blocked: bool = False
    spoil: Callable[[bytes], str] | None = None

    @property
    def answers(self) -> bool:
        """Whether it answers by itself, in place of the endpoint."""
        return self.status is not None or self.raw is not None

    def meets(self, endpoint: str, body: Mapping[str, Any]) -> bool:
        """Whether a call to `endpoint` with `body` is the one."""
        return self.endpoint in (None, endpoint) and (self.match is None or self.match(body))


NO_FAULT = Fault()


@dataclass
class Call:
    """One call as the API saw it. Times are unix seconds; `billed` is tokens per class, disjoint.

    `body` has its pictures replaced by `data:<type>;sha256=<hex>;bytes=<n>`. `outcome` is `running`,
    `picture`, `words`, `nothing`, `blocked`, `incomplete`, `scripted`, `ok`, or `refused:<code or status>`.
    `cut` says that the connection ended before the answer did, whoever ended it.
    """

    number: int
    endpoint: str
    body: Json
    headers: dict[str, str]
    started_at: float
    ended_at: float | None = None
    response_id: str | None = None
    status: int | None = None
    outcome: str = "running"
    billed: dict[str, int] = field(default_factory=dict)
    cut: bool = False

    @property
    def asked(self) -> Asked:
        """The gist of the request: prompt, parent, pictures and mask by their hashes, options."""
        return asked(self.endpoint, self.body)

    def as_dict(self) -> Json:
        """A plain copy, fit for JSON."""
        return asdict(self)
