"""A Slack that writes down what it is asked, the real books in a folder, and payloads in Slack's shapes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from darkroom.rendering.job import Answer, NoWord, RenderJob, ResponseIdSeen
from darkroom.spending.catalogue import load_catalogue
from darkroom.turns.api_gate import ApiGate
from darkroom.turns.bringing import Bringer
from darkroom.turns.endings import Ending
from darkroom.turns.intake import Intake
from darkroom.turns.making import TurnMaker
from darkroom.turns.model import Attachment, Request, ThreadReplies, Told, Turn, TurnState
from darkroom.turns.outages import Outage
from darkroom.turns.planning import Planner, RenderSettings
from darkroom.turns.pricer import Pricer
from darkroom.turns.standing import Standing
from handlers.attachments import SlackAttachments
from handlers.blocks.text import Block
from handlers.clients import (
    Begun,
    FileInfo,
    Posted,
    SlackClient,
    SlackRefused,
    SlackUnclear,
    TooManyBytes,
    UserInfo,
)
from handlers.errands import Errands
from handlers.guard import SlackGuard
from handlers.homeward import Homeward
from handlers.pacing import TOO_LONG
from handlers.reporting import Reporter
from handlers.services import HandlerConfig, Services
from handlers.showing import Manner
from handlers.surfaces import build_app
from storage.account import SqliteAccountBook
from storage.admin import SqliteAdminBooks
from storage.alerts import SqliteAlertBook
from storage.blobs import BlobStore
from storage.calls import SqliteCallLog
from storage.conversations import SqliteConversations
from storage.database import Database
from storage.erasing import SqliteEraser
from storage.reports import SqliteSpendReader
from storage.requests import SqliteMoneyRequests
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, HOST_MODEL, NOON, TEAM, StillClock, caps, turn

BOT, BOT_ID, CAROL, GUEST, OLAF = "U0DARKROOM", "B0DARKROOM", "U0CAROL001", "U0GUEST001", "U0OLAF0001"
CATALOGUE = load_catalogue()
DM = "D0ALICE001"
OTHER_TEAM = "T0OTHER001"
USUAL = "gpt-image-2-2026-04-21"
PAYLOADS = Path(__file__).parents[1] / "fixtures" / "slack" / "payloads"
USD = 1_000_000_000

PEOPLE = {
    ALICE: UserInfo(ALICE, "Alice", TEAM, None, False, False, False, False),
    BOB: UserInfo(BOB, "Bob <!channel>", TEAM, None, False, False, False, False),
    CAROL: UserInfo(CAROL, "Carol", TEAM, None, True, False, False, False),
    GUEST: UserInfo(GUEST, "Gus", TEAM, None, False, True, False, False),
    OLAF: UserInfo(OLAF, "Olaf", OTHER_TEAM, None, True, False, True, False),
}


@dataclass
class Call:
    """One thing that was asked of Slack."""

    method: str
    said: dict[str, Any]

    @property
    def text(self) -> str:
        """The text that was given, or nothing."""
        return str(self.said.get("text", ""))

    @property
    def payload(self) -> str:
        """Everything that Slack would get, as JSON."""
        return json.dumps(self.said, ensure_ascii=False, default=str)


@dataclass
class FakeSlack:
    """``SlackClient`` that remembers. ``faults`` are raised before a method, ``after`` once it was done.

    ``files`` are the bytes that can be downloaded, by file id; ``above`` is what stands in every thread;
    ``views`` are the open dialogs and ``homes`` the Home tabs, as they were last shown.
    """

    calls: list[Call] = field(default_factory=list)
    faults: dict[str, list[Exception | None]] = field(default_factory=dict)
    after: dict[str, list[Exception]] = field(default_factory=dict)
    media_types: list[str] = field(default_factory=list)
    posted: dict[str, str] = field(default_factory=dict)
    openings: dict[str, list[str]] = field(default_factory=dict)
    look: Callable[[str | None, str | None], str | None] = lambda found, thread_ts: found
    """What a look in a thread (or, with None, in the channel) gives of what was found."""
    people: dict[str, UserInfo] = field(default_factory=lambda: dict(PEOPLE))
    files: dict[str, bytes] = field(default_factory=dict)
    above: tuple[Attachment, ...] = ()
    views: dict[str, Block] = field(default_factory=dict)
    homes: dict[str, Block] = field(default_factory=dict)
    shown_in: dict[str, dict[str, str]] = field(default_factory=dict)
    held_s: dict[str, float] = field(default_factory=dict)

    def _did(self, method: str, **said: Any) -> None:
        waiting = self.faults.get(method)
        fault = waiting.pop(0) if waiting else None
        self.calls.append(Call(method + (" refused" if fault else ""), said))
        if fault is not None:
            raise fault

    def _after(self, method: str) -> None:
        if waiting := self.after.get(method):
            raise waiting.pop(0)

    def named(self, method: str) -> list[Call]:
        """The calls of one method that were done."""
        return [call for call in self.calls if call.method == method]

    def only(self, method: str) -> Call:
        """The one call of that method."""
        found = self.named(method)
        assert len(found) == 1, self.calls
        return found[0]

    def within(self, patience_s: float) -> SlackClient:
        """See ``SlackClient``; ``held_s`` is for how long a method is held back."""
        return cast(SlackClient, _Hurried(self, patience_s))

    async def post_message(
        self,
        channel: str,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        thread_ts: str | None = None,
        broadcast: bool = False,
        turn_id: str | None = None,
    ) -> str:
        """See ``SlackClient``."""
        said = {"channel": channel, "text": text, "blocks": blocks, "thread_ts": thread_ts}
        self._did("post_message", **said, broadcast=broadcast, turn_id=turn_id)
        ts = f"1763640100.{len(self.calls):06d}"
        if turn_id is not None:
            self.posted[turn_id] = ts
            if thread_ts is None:
                self.openings.setdefault(turn_id, []).append(ts)
        self._after("post_message")
        return ts

    async def post_private(
        self, user_id: str, text: str, *, blocks: Sequence[Block] = (), turn_id: str | None = None
    ) -> Posted:
        """See ``SlackClient``; a person's direct message is their id with a D."""
        self._did("post_private", user_id=user_id, text=text, blocks=blocks, turn_id=turn_id)
        channel = f"D{user_id[1:]}" if user_id.startswith("U") else user_id
        ts = f"1763640100.{len(self.calls):06d}"
        if turn_id is not None:
            self.posted[turn_id] = ts
            self.openings.setdefault(turn_id, []).append(ts)
        self._after("post_private")
        return Posted(channel, ts)

    async def update_message(
        self, channel: str, ts: str, text: str, *, blocks: Sequence[Block] = (), turn_id: str | None = None
    ) -> None:
        """See ``SlackClient``."""
        self._did("update_message", channel=channel, ts=ts, text=text, blocks=blocks, turn_id=turn_id)

    async def delete_message(self, channel: str, ts: str) -> None:
        """See ``SlackClient``."""
        self._did("delete_message", channel=channel, ts=ts)

    async def post_ephemeral(
        self,
        channel: str,
        user_id: str,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        thread_ts: str | None = None,
    ) -> None:
        """See ``SlackClient``."""
        said = {"channel": channel, "user_id": user_id, "text": text, "blocks": blocks}
        self._did("post_ephemeral", **said, thread_ts=thread_ts)

    async def respond(self, reply_url: str, text: str, *, blocks: Sequence[Block] = ()) -> None:
        """See ``SlackClient``."""
        self._did("respond", reply_url=reply_url, text=text, blocks=blocks)

    async def add_reaction(self, channel: str, ts: str, name: str) -> None:
        """See ``SlackClient``."""
        self._did("add_reaction", channel=channel, ts=ts, name=name)

    async def remove_reaction(self, channel: str, ts: str, name: str) -> None:
        """See ``SlackClient``."""
        self._did("remove_reaction", channel=channel, ts=ts, name=name)

    async def upload(
        self,
        path: Path,
        name: str,
        *,
        channel: str | None = None,
        thread_ts: str | None = None,
        begun: Begun | None = None,
    ) -> str:
        """See ``SlackClient``."""
        self._did("upload", path=path, name=name, channel=channel, thread_ts=thread_ts)
        file_id = f"F{len(self.calls):09d}"
        if begun is not None:
            await begun(file_id)
        if channel is not None:
            self.shown_in[file_id] = {channel: f"1763640100.{len(self.calls):06d}"}
        self._after("upload")
        return file_id

    async def file_info(self, file_id: str) -> FileInfo:
        """See ``SlackClient``."""
        self._did("file_info", file_id=file_id)
        media_type = self.media_types.pop(0) if self.media_types else "image/png"
        return FileInfo(file_id, media_type, shown_in=self.shown_in.get(file_id, {}))

    async def download(self, file_id: str, write: Callable[[bytes], object], *, bytes_max: int) -> None:
        """See ``SlackClient``; what is not among the ``files`` is refused as ``file_not_found``."""
        self._did("download", file_id=file_id, bytes_max=bytes_max)
        if file_id not in self.files:
            raise SlackRefused("file_not_found", "files.info")
        data = self.files[file_id]
        write(data[:bytes_max])
        if len(data) > bytes_max:
            raise TooManyBytes
        self._after("download")

    async def delete_file(self, file_id: str) -> None:
        """See ``SlackClient``."""
        self._did("delete_file", file_id=file_id)

    async def files_above(self, channel: str, thread_ts: str, before_ts: str) -> tuple[Attachment, ...]:
        """See ``SlackClient``."""
        self._did("files_above", channel=channel, thread_ts=thread_ts, before_ts=before_ts)
        return self.above

    async def open_view(self, trigger_id: str, view: Block) -> str:
        """See ``SlackClient``."""
        self._did("open_view", trigger_id=trigger_id, view=view)
        return self._shown(view)

    async def push_view(self, trigger_id: str, view: Block) -> str:
        """See ``SlackClient``."""
        self._did("push_view", trigger_id=trigger_id, view=view)
        return self._shown(view)

    def _shown(self, view: Block) -> str:
        view_id = f"V{len(self.calls):09d}"
        self.views[view_id] = view
        return view_id

    async def update_view(self, view_id: str, view: Block, *, hash_: str | None = None) -> None:
        """See ``SlackClient``."""
        self._did("update_view", view_id=view_id, view=view, hash_=hash_)
        self.views[view_id] = view

    async def publish_home(self, user_id: str, view: Block) -> None:
        """See ``SlackClient``."""
        self._did("publish_home", user_id=user_id, view=view)
        self.homes[user_id] = view

    async def user(self, user_id: str) -> UserInfo:
        """See ``SlackClient``."""
        self._did("user", user_id=user_id)
        if user_id not in self.people:
            raise SlackRefused("user_not_found", "users.info")
        return self.people[user_id]

    async def permalink(self, channel: str, ts: str) -> str:
        """See ``SlackClient``."""
        self._did("permalink", channel=channel, ts=ts)
        return f"https://slack.example/archives/{channel}/p{ts.replace('.', '')}"

    async def find_message(
        self, channel: str, turn_id: str, *, thread_ts: str | None, since: datetime, but: str | None = None
    ) -> str | None:
        """See ``SlackClient``."""
        self._did("find_message", channel=channel, turn_id=turn_id, thread_ts=thread_ts)
        found = self.posted.get(turn_id)
        return self.look(None if found == but else found, thread_ts)

    async def find_openings(self, channel: str, turn_id: str, *, since: datetime) -> tuple[str, ...]:
        """See ``SlackClient``; what a test adds to ``openings`` was posted late."""
        self._did("find_openings", channel=channel, turn_id=turn_id)
        return tuple(self.openings.get(turn_id, ()))


def refused(error: str, method: str = "chat.postMessage", detail: str = "") -> SlackRefused:
    """Slack's no."""
    return SlackRefused(error, method, detail)


class _Hurried:
    """A ``FakeSlack`` for whoever has less patience."""

    def __init__(self, slack: FakeSlack, patience_s: float) -> None:
        self._slack = slack
        self._patience_s = patience_s

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*args: Any, **fields: Any) -> Any:
            if self._slack.held_s.get(method, 0) > self._patience_s:
                raise refused(TOO_LONG, method)
            return await getattr(self._slack, method)(*args, **fields)

        return ask


def unclear(method: str = "chat.postMessage") -> SlackUnclear:
    """No answer."""
    return SlackUnclear(method)


class Submitted:
    """A ``Line`` that only remembers."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.withdrawn: list[Turn] = []
        self.reconsidered = 0
        self.woken = 0
        self.sharing_woken = 0
        self.recalling_woken = 0
        self.beats: tuple[int, int, tuple[str, ...]] = (0, 0, ())

    def submit(self, turn: Turn) -> None:
        """See ``Line``."""
        self.turns.append(turn)

    def withdraw(self, turn: Turn) -> None:
        """See ``Line``."""
        self.withdrawn.append(turn)

    def pulse(self) -> tuple[int, int, tuple[str, ...]]:
        """See ``Worker``."""
        return self.beats

    def reconsider(self) -> None:
        """See ``Worker``."""
        self.reconsidered += 1

    def wake(self) -> None:
        """See ``Alerting``."""
        self.woken += 1

    def wake_sharing(self) -> None:
        """See ``Sharing``."""
        self.sharing_woken += 1

    def wake_recalling(self) -> None:
        """See ``Recalling``."""
        self.recalling_woken += 1


def config(**changes: Any) -> HandlerConfig:
    """Settings: caps of $10 a person, and what a person leaves out."""
    usual = HandlerConfig(
        team_id=TEAM,
        enterprise_id=None,
        bot_user_id=BOT,
        bot_id=BOT_ID,
        caps=caps(person=10 * USD, workspace=500 * USD),
        model=USUAL,
        quality="medium",
        width=1024,
        height=1024,
        format="png",
    )
    return replace(usual, **changes)


class NoRenderer:
    """Nothing is rendered at a desk."""

    async def ready(self) -> None:
        """See ``Renderer``."""

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """See ``Renderer``."""
        raise AssertionError(job)

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """See ``Renderer``."""
        raise AssertionError(job)

    async def forget(self, response_id: str) -> bool:
        """See ``Renderer``."""
        raise AssertionError(response_id)


async def _removes_nothing(sha256: str, suffix: str) -> bool:
    raise AssertionError(f"{sha256}.{suffix}")


class NoOutages:
    """Books in which the API was always of use."""

    async def current(self) -> Outage | None:
        """None."""
        return None

    async def begin(self, outage: Outage, team_id: str) -> Outage:
        """It never began."""
        raise AssertionError(outage, team_id)

    async def end(self, outage_id: str, at: datetime) -> None:
        """It never ended."""
        raise AssertionError(outage_id, at)


def _pricer(
    store: SqliteTurnStore, log: SqliteTurnLog, slack: FakeSlack, clock: StillClock, how: HandlerConfig
) -> Pricer:
    """Prices as turns are planned, with the settings of the desk; no picture is read or made for them."""
    settings = RenderSettings(
        model=how.model,
        fallback=how.fallback,
        host_model=how.host_model or HOST_MODEL,
        width=how.width,
        height=how.height,
        quality=how.quality,
        format=how.format,
        timeout_s=60.0,
        provider="openai",
        safety_key=bytes(32),
    )
    blobs = BlobStore(Path("no blobs here"))
    planner = Planner(CATALOGUE, settings, blobs)
    bringer = Bringer(SlackAttachments(slack, clock), store, log, blobs, _removes_nothing, clock)
    gate = ApiGate(clock, NoOutages(), calls_at_once=9)
    maker = TurnMaker(store, log, NoRenderer(), planner, how.caps, clock, bringer, gate)
    return Pricer(log, maker, planner, clock)


@dataclass
class Desk:
    """Surfaces on a real Bolt app, with everything behind them."""

    app: AsyncApp
    services: Services
    slack: FakeSlack
    clock: StillClock
    line: Submitted
    store: SqliteTurnStore
    log: SqliteTurnLog

    @classmethod
    def make(cls, database: Database, **settings: Any) -> Desk:
        """A desk over these books."""
        slack, clock, line, how = FakeSlack(), StillClock(), Submitted(), config(**settings)
        store, log = SqliteTurnStore(database), SqliteTurnLog(database)
        services = Services(
            config=how,
            catalogue=CATALOGUE,
            intake=Intake(store, log, line, clock, how.thread_replies),
            log=log,
            spend=SqliteSpendReader(database),
            admin=SqliteAdminBooks(database),
            alerts=SqliteAlertBook(database),
            requests=SqliteMoneyRequests(database),
            conversations=SqliteConversations(database),
            homeward=Homeward(
                slack,
                clock,
                SqliteConversations(database),
                Manner(frozenset({how.model}), broadcast_first=True, confirm_nano_usd=how.confirm_nano_usd),
                lambda sha256, suffix: Path(f"{sha256}.{suffix}"),
            ),
            eraser=SqliteEraser(database),
            pricing=_pricer(store, log, slack, clock, how),
            standing=Standing(
                ApiGate(clock, NoOutages(), calls_at_once=9),
                line.pulse,
                8,
                SqliteAccountBook(database),
                SqliteCallLog(database),
                "openai",
            ),
            reporter=Reporter(slack, clock),
            slack=slack,
            guard=SlackGuard(slack, how.house, clock),
            errands=Errands(),
            clock=clock,
            policy_changed=line.reconsider,
            wake_alerting=line.wake,
            wake_sharing=line.wake_sharing,
            wake_recalling=line.wake_recalling,
        )
        app = build_app(services, AsyncWebClient(base_url="http://127.0.0.1:9/api/"))
        return cls(app, services, slack, clock, line, store, log)

    async def send(self, payload: Mapping[str, Any]) -> BoltResponse:
        """What Bolt answers Slack, after the errands have been run too."""
        response = await self.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=dict(payload)))
        await self.services.errands.idle()
        return response

    async def type(self, text: str, name: str = "/imagine", **fields: Any) -> str:
        """Type a command; gives what the person reads at once."""
        response = await self.send(slash(name, text, **fields))
        assert response.status == 200
        return said_in(response)

    async def arrive(self, request: Request) -> Turn:
        """A turn on disk."""
        arrival = await self.store.arrive(
            self.clock.new_id("turn"), request, self.clock.now(), ThreadReplies.EVERYONE
        )
        assert arrival.turn is not None
        return arrival.turn


def said_in(response: BoltResponse) -> str:
    """The text of an acknowledgement."""
    body = response.body
    if not body:
        return ""
    return str(json.loads(body).get("text", "")) if body.startswith("{") else body


def fixture(name: str) -> dict[str, Any]:
    """One of the recorded payloads, as if it was recorded in our workspace."""
    text = (PAYLOADS / f"{name}.json").read_text()
    for recorded in ("T111", "T-auth"):
        text = text.replace(f'"{recorded}"', f'"{TEAM}"')
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def slash(name: str, text: str, *, trigger: str = "111.111.one", **fields: Any) -> dict[str, Any]:
    """A slash command of Alice's in #design."""
    usual = {"team_id": TEAM, "user_id": ALICE, "channel_id": DESIGN, "enterprise_id": None}
    url = {"response_url": "http://127.0.0.1:9/commands/1", "trigger_id": trigger}
    return {**fixture("slash_command"), **usual, **url, "command": name, "text": text, **fields}


def event(name: str, **fields: Any) -> dict[str, Any]:
    """A recorded event with other fields in its ``event``; a field of None is taken out."""
    payload = fixture(name)
    merged = {**payload["event"], **fields}
    payload["event"] = {key: value for key, value in merged.items() if value is not None}
    return {**payload, "team_id": TEAM, "enterprise_id": None}


def wrote(text: str, ts: str, **fields: Any) -> dict[str, Any]:
    """Somebody (Alice) wrote a message in #design."""
    usual: dict[str, Any] = {"user": ALICE, "team": TEAM, "channel": DESIGN}
    return event("message_channel", **{**usual, "text": text, "ts": ts, "event_ts": ts, **fields})


def mentioned(text: str, ts: str, **fields: Any) -> dict[str, Any]:
    """The same as ``app_mention``."""
    usual: dict[str, Any] = {"user": ALICE, "team": TEAM, "channel": DESIGN}
    return event("app_mention", **{**usual, "text": text, "ts": ts, "event_ts": ts, **fields})


def clicked(action_id: str, value: str, user: str = ALICE, team: str = TEAM) -> dict[str, Any]:
    """Somebody pressed a button in #design."""
    payload = fixture("block_actions")
    payload |= {"user": {"id": user, "team_id": team}, "channel": {"id": DESIGN}, "team": {"id": TEAM}}
    payload["container"] |= {"channel_id": DESIGN, "thread_ts": "1763640000.000100"}
    payload["actions"][0] |= {"action_id": action_id, "value": value}
    return payload


class Notes:
    """``Note`` that keeps a turn up to date and remembers the order of the steps; ``files`` are those of the
    pictures, by their ids."""

    def __init__(self, of: Turn) -> None:
        self.turn = of
        self.steps: list[Told] = []
        self.files: dict[str, str | None] = {}

    async def __call__(self, step: Told, value: str | None, picture_id: str | None = None) -> Turn:
        """See ``Note``."""
        assert (step is Told.FILE) == (picture_id is not None)
        self.steps.append(step)
        if picture_id is not None:
            self.files[picture_id] = value
            return self.turn
        if step is Told.PLACE:
            assert value is not None
            self.turn = replace(self.turn, request=replace(self.turn.request, channel_id=value))
            return self.turn
        times = {Told.POST_BEGUN, Told.PLACEHOLDER_CLOSED, Told.DONE}
        changes: dict[str, Any] = {step.value: NOON if step in times else value}
        if step is Told.PLACEHOLDER:
            changes["thread_ts"] = value
        self.turn = replace(self.turn, **changes)
        return self.turn


def ended(ending: Ending, request: Request | None = None, **changes: Any) -> Turn:
    """A turn with its outcome."""
    return turn(request, state=TurnState.ENDED, ending=ending, **changes)


def later(seconds: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)
