"""The files that people attach, fetched from Slack for the turns that want them."""

from __future__ import annotations

import logging

from darkroom.clock import Clock
from darkroom.rendering.job import BlobWriter
from darkroom.turns.endings import FileProblem
from darkroom.turns.model import REFERENCES_MAX, Attachment, Turn
from darkroom.turns.surroundings import CannotFetch
from handlers import words_files
from handlers.blocks.text import View
from handlers.clients import NotTheFile, SlackClient, SlackRefused, SlackUnclear, TooManyBytes
from handlers.downloading import ELSEWHERE
from handlers.pacing import ANSWER_PATIENCE_S, FETCH_PATIENCE_S, TOO_LONG
from handlers.posting import tell_privately
from handlers.recipients import may_not_look

BYTES_MAX = 50 * 1024 * 1024
"""Of one attached file; the API takes no larger pictures."""
PAUSES_S = (1.0, 4.0)
"""Seconds before the second and the third try."""

_PASSING = frozenset({"ratelimited"})
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff")
logger = logging.getLogger("darkroom.handlers")


class SlackAttachments:
    """``Attachments`` out of a workspace's Slack, within minutes."""

    def __init__(self, slack: SlackClient, clock: Clock) -> None:
        self._slack = slack.within(FETCH_PATIENCE_S)
        self._answering = slack.within(ANSWER_PATIENCE_S)
        self._clock = clock

    async def above(self, turn: Turn) -> tuple[Attachment, ...]:
        """See ``Attachments``; a picture is what Slack calls one, or what has the name of one."""
        request = turn.request
        before = request.message_ts or request.order
        if request.thread_ts is None or request.thread_ts == before:
            return ()
        try:
            files = await self._slack.files_above(request.channel_id, request.thread_ts, before)
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("turn %s: the thread above it cannot be read: %s", turn.id, error)
            if isinstance(error, SlackRefused) and may_not_look(error):
                await self._say_unseen(turn)
            return ()
        pictures: dict[str, Attachment] = {}
        for file in reversed([await self._known(file) for file in files[-2 * REFERENCES_MAX :]]):
            if _is_picture(file) and len(pictures) < REFERENCES_MAX:
                pictures.setdefault(file.file_id, file)
        return tuple(reversed(pictures.values()))

    async def _say_unseen(self, turn: Turn) -> None:
        """Else the picture that comes would seem to have been made of those above."""
        request = turn.request
        try:
            await tell_privately(
                self._answering,
                self._clock,
                View(words_files.ABOVE_UNSEEN, ()),
                channel=request.channel_id,
                user_id=request.user_id,
                thread_ts=request.thread_ts,
            )
        except (SlackRefused, SlackUnclear) as error:
            logger.info("turn %s: what it could not see is not said: %s", turn.id, error)

    async def _known(self, file: Attachment) -> Attachment:
        """What another workspace's file is: messages give no more of it than the id."""
        if file.media_type or _is_picture(file):
            return file
        try:
            info = await self._slack.file_info(file.file_id)
        except (SlackRefused, SlackUnclear):
            return file
        return Attachment(file.file_id, info.name or file.name, info.media_type, info.size_bytes)

    async def fetch(self, attachment: Attachment, file: BlobWriter) -> None:
        """See ``Attachments``: up to 50 MB. After a passing trouble it is tried again, three times in all."""
        if attachment.size_bytes > BYTES_MAX:
            raise CannotFetch(FileProblem.TOO_MANY_BYTES)
        writing = _Continued(file)
        for pause in (*PAUSES_S, None):
            try:
                return await self._slack.download(attachment.file_id, writing.begin(), bytes_max=BYTES_MAX)
            except TooManyBytes as error:
                raise CannotFetch(FileProblem.TOO_MANY_BYTES) from error
            except NotTheFile as error:
                logger.warning("file %s is not given out: %s", attachment.file_id, error.why)
                elsewhere = error.why == ELSEWHERE
                problem = FileProblem.ELSEWHERE if elsewhere else FileProblem.NO_ACCESS
                raise CannotFetch(problem) from error
            except SlackRefused as error:
                logger.warning("file %s is refused: %s", attachment.file_id, error)
                if error.error == TOO_LONG:
                    raise CannotFetch(FileProblem.UNREACHABLE) from error
                if error.error not in _PASSING:
                    raise CannotFetch(FileProblem.NO_ACCESS) from error
            except SlackUnclear as error:
                logger.warning("file %s: %s", attachment.file_id, error)
            if pause is not None:
                await self._clock.sleep(pause)
        raise CannotFetch(FileProblem.UNREACHABLE)


class _Continued:
    """Writes a file that may come several times: of each coming only what goes beyond the ones before. The
    bytes of a file in Slack never change."""

    def __init__(self, file: BlobWriter) -> None:
        self._file = file
        self._written = 0
        self._come = 0

    def begin(self) -> _Continued:
        """From its first byte."""
        self._come = 0
        return self

    def __call__(self, data: bytes) -> None:
        known = min(len(data), self._written - self._come)
        self._come += len(data)
        if known < len(data):
            self._file.write(data[known:])
            self._written = self._come


def _is_picture(file: Attachment) -> bool:
    return file.media_type.startswith("image/") or file.name.lower().endswith(_ENDINGS)
