"""The probes of ``doctor --live-slack``, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from bot.doctor.finding import Finding, Grade
from bot.doctor.live_asking import Ask, Reply
from bot.doctor.live_traces import Mark, Traces
from bot.doctor.probes import LIVE_SLACK
from darkroom.clock import Clock
from handlers.blocks.probes import (
    AFTER,
    BEFORE,
    chart_view,
    home_view,
    opening_view,
    picture_view,
    table_view,
)
from handlers.blocks.text import View
from handlers.clients import NotTheFile, SlackRefused, SlackUnclear, TooManyBytes
from handlers.meanings import Meaning, meaning
from handlers.posting import name_of
from handlers.probing import ProbingClient, block_types, button_labels, carries

BYTES_MAX = 1_000_000
_TELL = "Tell Darkroom's maintainers what was seen."
_INVITE = "Invite the bot: type /invite @Darkroom in that channel. The name begins with #, or give the id."


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file of ours in Slack, and the digest of what was sent."""

    id: str
    sha256: str


class SlackProbes:
    """All of them, in *channel*; ``found`` has what was seen so far, also when ``run`` is cancelled."""

    def __init__(
        self, slack: ProbingClient, traces: Traces, channel: str, ask: Ask, folder: Path, clock: Clock
    ) -> None:
        self._slack = slack
        self._traces = traces
        self._channel = channel
        self._ask = ask
        self._folder = folder
        self._clock = clock
        self._root = Mark(channel, "", None)
        self._person: str | None = None
        self.found: list[Finding] = []

    async def run(self, say: Callable[[str], None]) -> None:
        """Each probe of ``probes.LIVE_SLACK`` but the last, in its order; what could not be looked at is a
        ``SKIP``."""
        say(f"Trying things in {self._channel}. Keep Slack open there; all of it is deleted afterwards.")
        if not await self._tried("live_slack.place", self._place()):
            return self._skip_rest("nothing can be posted in the channel")
        first = await self._uploaded("first")
        if first is None:
            self._skip("live_slack.picture", "live_slack.buttons", why="there is no file to show")
            self._skip("live_slack.broadcast", "live_slack.metadata", why="there is no file to show")
            self._skip("live_slack.private", why="there is no file to show")
        else:
            await self._with_picture(first)
        await self._in_private("live_slack.table", table_view(), "a table with three days")
        await self._in_private("live_slack.chart", chart_view(), "a chart with three bars")
        await self._tried("live_slack.home", self._home(first))
        await self._tried("live_slack.deleted", self._deleted(first))

    async def _place(self) -> None:
        check = "live_slack.place"
        try:
            self._root = await self._traces.post_private(self._channel, opening_view())
        except SlackRefused as refused:
            if meaning(refused) is not Meaning.PLACE_GONE:
                raise
            self._put(check, Grade.FAIL, f"Slack does not let the bot post there: {refused.error}", _INVITE)
            raise _Stop from refused
        question = f"There is a new message in {self._channel}. Reply to it in its thread. Done?"
        if await self._ask(question) is not Reply.YES:
            return self._put(
                check, Grade.PASS, "the bot can post; nobody replied, so nothing private is tried"
            )
        try:
            self._person = await self._slack.first_person(self._root.channel, self._root.ts or "")
        except SlackRefused as refused:
            said = f"the bot can post, and cannot read the replies in its threads: {refused.error}"
            return self._put(check, Grade.WARN, said, "Compare the app's scopes with the manifest.")
        if self._person is None:
            return self._put(check, Grade.WARN, "the bot can post; no reply was there to be read")
        return self._put(check, Grade.PASS, "the bot can post, and read a reply in its thread")

    async def _uploaded(self, name: str) -> Uploaded | None:
        """A picture that nobody sees yet, compared with what comes back; None if Slack does not take it."""
        check = "live_slack.sha256"
        sent: list[Uploaded] = []

        async def work() -> None:
            path = self._drawn(name)
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            sent.append(Uploaded(await self._traces.upload(path, f"{name}.png"), sha256))
            back = hashlib.sha256()
            await self._slack.download(sent[0].id, back.update, bytes_max=BYTES_MAX)
            if back.hexdigest() == sha256:
                return self._put(check, Grade.PASS, "every byte comes back as it was sent")
            said = "Slack gives out other bytes than were sent: the marks of AI pictures may be lost"
            return self._put(check, Grade.WARN, said, _TELL)

        await self._tried(check, work())
        return sent[0] if sent else None

    async def _with_picture(self, first: Uploaded) -> None:
        """What is done with a message that shows a picture."""
        shown: list[Mark] = []
        if await self._tried("live_slack.picture", self._picture(first, shown)):
            await self._tried("live_slack.buttons", self._buttons(first, shown[0]))
        else:
            self._skip("live_slack.buttons", why="no message with a picture stands")
        await self._tried("live_slack.broadcast", self._broadcast())
        if shown:
            await self._tried("live_slack.metadata", self._metadata(shown[0]))
        else:
            self._skip("live_slack.metadata", why="no message with a picture stands")
        await self._tried("live_slack.private", self._private(first))

    async def _picture(self, first: Uploaded, shown: list[Mark]) -> None:
        view = picture_view(first.id, BEFORE)
        shown.append(await self._traces.post(self._root.channel, view, thread_ts=self._root.ts))
        question = f"Look into that thread. Is there a blue circle, and a button “{BEFORE}” under it?"
        await self._judged("live_slack.picture", question, "one message shows both", Grade.FAIL)

    async def _buttons(self, first: Uploaded, mark: Mark) -> None:
        view = picture_view(first.id, AFTER)
        channel, ts = mark.channel, mark.ts or ""
        await self._slack.update_message(channel, ts, view.text, blocks=view.blocks, turn_id=mark.name)
        message = await self._slack.reply(channel, self._root.ts or "", ts)
        told = f"{', '.join(block_types(message))}, {', '.join(button_labels(message))}"
        question = f"Is the blue circle still there, and does the button say “{AFTER}” now?"
        seen = f"the picture stays when its buttons are replaced (Slack has: {told})"
        await self._judged("live_slack.buttons", question, seen)

    async def _broadcast(self) -> None:
        path = self._drawn("second")
        file_id = await self._traces.upload(path, "second.png")
        await self._traces.post(
            self._root.channel, picture_view(file_id, BEFORE), thread_ts=self._root.ts, broadcast=True
        )
        question = f"Look at {self._channel} itself, not the thread. Is the picture shown there as well?"
        await self._judged("live_slack.broadcast", question, "the channel shows the picture too")

    async def _metadata(self, mark: Mark) -> None:
        check = "live_slack.metadata"
        message = await self._slack.reply(mark.channel, self._root.ts or "", mark.ts or "")
        if carries(message, mark.name):
            return self._put(check, Grade.PASS, "it is there, also after an update")
        had = "another" if message.get("metadata") else "none"
        said = f"the message has {had}: a post without an answer may stand twice"
        return self._put(check, Grade.WARN, said, _TELL)

    async def _private(self, first: Uploaded) -> None:
        check = "live_slack.private"
        shared = await self._slack.visibility(first.id, self._root.channel)
        if shared == "public":
            return self._skip(check, why="the channel is public: try a private one, too")
        question = "Ask somebody else in the channel to look into the thread. Do they see the blue circle?"
        told = "shared in a private channel" if shared else "shared nowhere"
        return await self._judged(check, question, f"somebody else sees it; Slack says that it is {told}")

    async def _in_private(self, check: str, view: View, what: str) -> None:
        if self._person is None:
            return self._skip(check, why="it is not known who you are: nobody replied in the thread")

        async def work(person: str) -> None:
            await self._traces.post_private(person, view)
            question = f"Look at your direct messages with the bot. Is there {what}?"
            await self._judged(check, question, "it shows")

        await self._tried(check, work(self._person))
        return None

    async def _home(self, first: Uploaded | None) -> None:
        check = "live_slack.home"
        if self._person is None or first is None:
            why = "there is no file to show" if first is None else "it is not known who you are"
            return self._skip(check, why=why)
        question = (
            "Open the bot's Home tab and stay there. May its content be replaced, until you open it again?"
        )
        if await self._ask(question) is not Reply.YES:
            return self._skip(check, why="you did not want it")
        await self._traces.show_home(self._person, home_view(first.id))
        return await self._judged(check, "Does the Home tab show the blue circle now?", "it shows")

    async def _deleted(self, first: Uploaded | None) -> None:
        check = "live_slack.deleted"
        if first is None:
            return self._skip(check, why="there is no file to delete")
        await self._traces.delete_file(first.id)
        try:
            await self._slack.file_info(first.id)
            gone = "Slack still knows the file"
        except SlackRefused as refused:
            gone = f"Slack says {refused.error} of the file"
        left = [
            block_types(each) for each in await self._slack.replies(self._root.channel, self._root.ts or "")
        ]
        told = "; ".join(", ".join(types) or "no blocks" for types in left[1:] if types != ["rich_text"])
        question = "The first picture was deleted. Is its place in the thread empty, or says that it is gone?"
        return await self._judged(
            check, question, f"nothing of it is shown; {gone}; the messages have: {told}"
        )

    async def _judged(self, check: str, question: str, seen: str, unseen: Grade = Grade.WARN) -> None:
        """What the person says to *question*; *seen* is what a yes means."""
        match await self._ask(question):
            case Reply.YES:
                self._put(check, Grade.PASS, seen)
            case Reply.NO:
                self._put(check, unseen, f"not so, as you say; expected: {seen}", _TELL)
            case Reply.SKIP:
                self._skip(check, why=f"Slack took it; you did not say whether: {question}")

    async def _tried(self, check: str, work: Awaitable[None]) -> bool:
        """Whether *work* came to its end; what Slack says against it is a finding."""
        try:
            await work
        except _Stop:
            return False
        except (SlackRefused, SlackUnclear) as error:
            detail = f" ({error.detail})" if isinstance(error, SlackRefused) and error.detail else ""
            grade = Grade.FAIL if check in ("live_slack.place", "live_slack.picture") else Grade.WARN
            said = f"{error.method}: {name_of(error)}{detail}"
            self._put(check, grade, f"Slack does not do it: {said}", _TELL)
            return False
        except (NotTheFile, TooManyBytes) as error:
            self._put(check, Grade.WARN, f"what came is not the file ({type(error).__name__})", _TELL)
            return False
        return True

    def _drawn(self, name: str) -> Path:
        """A small picture that no other is the same as, with words in it that converting would lose."""
        path = self._folder / f"{name}.png"
        picture = Image.new("RGB", (480, 320), "white")
        ImageDraw.Draw(picture).ellipse((140, 60, 340, 260), fill="blue")
        words = PngInfo()
        words.add_text("Comment", f"{name} {self._clock.new_id('doctor')}")
        picture.save(path, "PNG", pnginfo=words)
        return path

    def _put(self, check: str, grade: Grade, said: str, remedy: str = "") -> None:
        self.found.append(Finding(check, grade, said, remedy))

    def _skip(self, *checks: str, why: str) -> None:
        for check in checks:
            self._put(check, Grade.SKIP, why)

    def _skip_rest(self, why: str) -> None:
        done = {finding.check for finding in self.found} | {"live_slack.cleanup"}
        self._skip(*(check for check in LIVE_SLACK if check not in done), why=why)


class _Stop(Exception):
    """The finding is there, and nothing that builds on it can be tried."""
