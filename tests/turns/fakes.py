"""A renderer, a delivery and a guard that do as a test says, around the real store on a real file."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from darkroom.rendering.job import (
    Answer,
    Billed,
    BlobWriter,
    Failure,
    FailureKind,
    NoWord,
    RenderJob,
    ResponseIdSeen,
    SavedPicture,
)
from darkroom.spending.catalogue import load_catalogue
from darkroom.turns.endings import Ending, FileProblem, Outcome, Reason
from darkroom.turns.model import Attachment, Picture, Told, Turn, TurnInput
from darkroom.turns.planning import RenderSettings
from darkroom.turns.surroundings import CannotFetch, Note, Undeliverable
from darkroom.turns.waiting import Wait
from tests.examples import StillClock

CATALOGUE = load_catalogue()
FIRST, SECOND = "gpt-image-2-2026-04-21", "gpt-image-2.5-flare"
SETTINGS = RenderSettings(
    model=FIRST,
    fallback=(SECOND,),
    host_model="gpt-5.6-luna",
    width=1024,
    height=1024,
    quality="medium",
    format="png",
    timeout_s=240.0,
    provider="openai",
    safety_key=bytes(32),
)
HOST_USAGE = {"input_tokens": 900, "output_tokens": 100}
IMAGE_USAGE = {
    "input_tokens": 60,
    "input_tokens_details": {"text_tokens": 60, "image_tokens": 0},
    "output_tokens": 1000,
}

Script = Answer | BaseException | Callable[[RenderJob, ResponseIdSeen], Awaitable[Answer]]


class Gates:
    """Places where the fakes stop until they are let on, by name; a gate that nobody shut is open."""

    def __init__(self) -> None:
        self._shut: dict[str, asyncio.Event] = {}
        self._reached: dict[str, asyncio.Event] = {}

    def shut(self, *names: str) -> None:
        """Whoever comes to these waits."""
        for name in names:
            self._shut[name] = asyncio.Event()

    def open(self, *names: str) -> None:
        """Let on whoever waits there, and whoever comes."""
        for name in names:
            self._shut[name].set()

    async def reached(self, name: str) -> None:
        """Return when somebody has come to *name*."""
        await self._arrival(name).wait()

    async def passing(self, *names: str) -> None:
        """Come to each of *names* and wait there while it is shut."""
        for name in names:
            self._arrival(name).set()
            if name in self._shut:
                await self._shut[name].wait()

    def _arrival(self, name: str) -> asyncio.Event:
        return self._reached.setdefault(name, asyncio.Event())


class GatedClock(StillClock):
    """A still clock whose sleepers can be held at the gates ``sleep`` and ``sleep:<seconds>``."""

    def __init__(self, gates: Gates, name: str = "") -> None:
        super().__init__()
        self._gates = gates
        self._name = name

    def new_id(self, kind: str) -> str:
        """``kind_name000001`` and so on."""
        return super().new_id(f"{kind}_{self._name}")

    async def sleep(self, seconds: float) -> None:
        """Wait at the gate, then move on."""
        await self._gates.passing("sleep", f"sleep:{seconds:g}")
        await super().sleep(seconds)


def failed(
    kind: FailureKind,
    billed: Billed = Billed.NOTHING,
    *,
    wait: float | None = None,
    answered: str | None = None,
) -> Answer:
    """An attempt that failed; with *answered* after the API had named the response."""
    failure = Failure(kind, billed, code=kind.value, message="the API's own words", retry_after_s=wait)
    return Answer(response_id=answered, failure=failure)


def painted(job: RenderJob, response_id: str, *, words: str = "") -> Answer:
    """A picture, as the first model or whichever was asked for makes it."""
    digest = hashlib.sha256(job.attempt_id.encode()).hexdigest()
    picture = SavedPicture(digest, Path(f"{digest}.png"), 3, "png", job.width, job.height, job.prompt)
    return Answer(
        response_id=response_id,
        image_model=job.candidate.image_model,
        host_model=job.candidate.host_model,
        picture=picture,
        words=words,
        host_usage=HOST_USAGE,
        image_usage=IMAGE_USAGE,
    )


def said(words: str) -> Answer:
    """An answer in words."""
    return Answer(response_id="resp_words", words=words, host_usage=HOST_USAGE)


class ScriptedRenderer:
    """Answers each prompt with what ``scripts`` holds for it, in order, then with a picture.

    Comes to the gates ``render`` and ``render:<prompt>`` with the response named, and to ``ask``.
    """

    def __init__(self, gates: Gates) -> None:
        self.scripts: dict[str, list[Script]] = {}
        self.asks: list[Answer | NoWord | BaseException] = []
        self.jobs: list[RenderJob] = []
        self.asked: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self._gates = gates

    async def ready(self) -> None:
        """Comes to the gate ``ready``."""
        await self._gates.passing("ready")

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Make the call."""
        self.jobs.append(job)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(job, f"resp_{len(self.jobs)}", response_id_seen)
        finally:
            self.at_once -= 1

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """What became of it: the next of ``asks``, else nothing yet."""
        self.asked.append(response_id)
        await self._gates.passing("ask")
        answer = self.asks.pop(0) if self.asks else NoWord.NOT_FINISHED
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def forget(self, response_id: str) -> bool:
        """Nothing is stored here."""
        return True

    def prompts(self) -> list[str]:
        """What was sent, in order."""
        return [job.prompt for job in self.jobs]

    async def _answer(self, job: RenderJob, response_id: str, seen: ResponseIdSeen) -> Answer:
        scripts = self.scripts.get(job.prompt, [])
        script = scripts.pop(0) if scripts else None
        if isinstance(script, BaseException):
            await self._gates.passing("render", f"render:{job.prompt}")
            raise script
        if callable(script):
            return await script(job, seen)
        if script is None or script.response_id is not None:
            await seen(response_id if script is None or script.response_id is None else script.response_id)
        await self._gates.passing("render", f"render:{job.prompt}")
        return painted(job, response_id) if script is None else script


@dataclass
class Slack:
    """What people saw; outlives a Darkroom."""

    placeholders: list[str] = field(default_factory=list)
    posts: list[tuple[str, int]] = field(default_factory=list)
    """(turn, version), in the order of their posting."""
    told: list[tuple[str, Reason]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    """The message that carries a turn's id."""
    at_most: dict[str, int] = field(default_factory=dict)
    """The price that stood in a turn's placeholder."""
    waits: list[tuple[str, Wait | None]] = field(default_factory=list)
    """(turn, what its placeholder said that it waits for), in order; None when it was being made."""
    inputs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """(role, name) of what a turn's message said went along."""
    seconds: int = 0

    def ts(self) -> str:
        """The next message's ts."""
        self.seconds += 1
        return f"{1763640000 + self.seconds}.000100"


class RecordingDelivery:
    """Notes each step as the real one does; ``faults`` names exceptions for the steps ``placeholder``,
    ``show_wait``, ``upload``, ``post``, ``close`` and ``tell``, each raised once. Gates are named so too."""

    def __init__(self, slack: Slack, gates: Gates) -> None:
        self.slack = slack
        self.faults: dict[str, list[BaseException]] = {}
        self.no_place: Ending | None = None
        self._gates = gates

    async def placeholder(
        self, turn: Turn, at_most_nano_usd: int, note: Note, wait: Wait | None = None
    ) -> Ending | None:
        """See ``Delivery``."""
        await self._step("placeholder", turn)
        if wait is not None:
            self.slack.waits.append((turn.id, wait))
        if self.no_place is not None:
            return self.no_place
        self.slack.placeholders.append(turn.id)
        self.slack.at_most[turn.id] = at_most_nano_usd
        if turn.request.private and not turn.request.channel_id.startswith("D"):
            turn = await note(Told.PLACE, f"D{turn.request.user_id[1:]}")
        if turn.request.opens_thread:
            await note(Told.PLACEHOLDER, self.slack.ts())
        return None

    async def show_wait(self, turn: Turn, at_most_nano_usd: int, wait: Wait | None) -> None:
        """See ``Delivery``."""
        await self._step("show_wait", turn)
        assert turn.id not in self.slack.closed
        self.slack.waits.append((turn.id, wait))

    async def deliver(
        self,
        turn: Turn,
        pictures: Sequence[tuple[Picture, Path]],
        inputs: Sequence[TurnInput],
        note: Note,
    ) -> None:
        """See ``Delivery``."""
        assert pictures
        self.slack.inputs[turn.id] = [(given.role.value, given.name) for given in inputs]
        pictures = [one for one in pictures if one[0].deleted_at is None]
        if turn.message_ts is None and pictures:
            found = self.slack.messages.get(turn.id) if turn.post_begun_at else None
            if found is None:
                for picture, path in pictures:
                    assert path.name.startswith(picture.sha256)
                    if picture.file_id is None:
                        await self._step("upload", turn)
                        self.slack.uploads.append(turn.id)
                        await note(Told.FILE, f"F{len(self.slack.uploads)}", picture.id)
                await note(Told.POST_BEGUN, None)
                await self._step("post", turn)
                found = self.slack.messages[turn.id] = self.slack.ts()
                self.slack.posts += [(turn.id, picture.version) for picture, _ in pictures]
                await self._step("posted", turn)
            await note(Told.MESSAGE, found)
        if turn.placeholder_closed_at is None:
            await self._step("close", turn)
            self.slack.closed.append(turn.id)
            await note(Told.PLACEHOLDER_CLOSED, None)

    async def tell(self, turn: Turn, note: Note) -> None:
        """See ``Delivery``."""
        assert turn.ending is not None
        if turn.placeholder_closed_at is not None:
            return
        await self._step("tell", turn)
        self.slack.told.append((turn.id, turn.ending.reason))
        self.slack.closed.append(turn.id)
        await note(Told.PLACEHOLDER_CLOSED, None)

    async def _step(self, name: str, turn: Turn) -> None:
        await self._gates.passing(name, f"{name}:{turn.request.prompt}")
        if self.faults.get(name):
            raise self.faults[name].pop(0)


class FiledAttachments:
    """Files by their id, in memory; what is not there cannot be read. Gates: ``fetch``, ``fetch:<id>``."""

    def __init__(self, gates: Gates) -> None:
        self.files: dict[str, bytes] = {}
        self.in_thread: tuple[Attachment, ...] = ()
        self.fetched: list[str] = []
        self._gates = gates

    async def above(self, turn: Turn) -> tuple[Attachment, ...]:
        """See ``Attachments``."""
        return self.in_thread

    async def fetch(self, attachment: Attachment, file: BlobWriter) -> None:
        """See ``Attachments``."""
        self.fetched.append(attachment.file_id)
        if attachment.file_id not in self.files:
            raise CannotFetch(FileProblem.NO_ACCESS)
        file.write(self.files[attachment.file_id][:3])
        await self._gates.passing("fetch", f"fetch:{attachment.file_id}")
        file.write(self.files[attachment.file_id][3:])


class ScriptedGuard:
    """Refuses who is in ``refused``, raises what is in ``faults``. Gates: ``guard``, ``guard:<prompt>``."""

    def __init__(self, gates: Gates) -> None:
        self.refused: dict[str, Ending] = {}
        self.faults: list[BaseException] = []
        self._gates = gates

    async def refusal(self, turn: Turn) -> Ending | None:
        """See ``Guard``."""
        await self._gates.passing("guard", f"guard:{turn.request.prompt}")
        if self.faults:
            raise self.faults.pop(0)
        return self.refused.get(turn.request.user_id)


class NamedFiles:
    """Pictures by their digest, in no folder at all."""

    def path_of(self, sha256: str, suffix: str) -> Path:
        """See ``PictureFiles``."""
        return Path(f"{sha256}.{suffix}")


NOT_A_MEMBER = Ending(Outcome.DECLINED, Reason.NOT_IN_CHANNEL)
NO_ANSWER = Undeliverable("chat.postMessage: no answer")
BROKEN_STREAM = failed(FailureKind.UNREACHABLE, Billed.UNKNOWN)
