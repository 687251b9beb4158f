"""A file on its way into Slack: it is seen once, as far as we can see, whatever became of Slack's answers."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from darkroom.clock import Clock
from handlers.clients import Begun, SlackClient, SlackRefused, SlackUnclear
from handlers.meanings import WAITING, Meaning, meaning

logger = logging.getLogger("darkroom.handlers")

LATE_PAUSES_S = (1.0, 2.0, 5.0)
"""Waits for a file that Slack completes a little later, and for its share to be named in it."""


class Upload:
    """One file, for one place. Every call is a try; after one that Slack did not answer, the next looks first
    what became of it, and raises again where it cannot see that."""

    def __init__(
        self,
        slack: SlackClient,
        clock: Clock,
        path: Path,
        name: str,
        *,
        channel: str | None = None,
        thread_ts: str | None = None,
        begun: Begun | None = None,
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._path = path
        self._name = name
        self._channel = channel
        self._thread_ts = thread_ts
        self._begun = begun
        self._unclear: str | None = None
        """A file that may stand in the channel, for all we know."""

    async def __call__(self) -> str:
        """The file's id. Raises ``SlackRefused`` and ``SlackUnclear``: then it may be called again."""
        if self._unclear is not None and self._channel is not None:
            if await self._stands(self._unclear, self._channel):
                return self._unclear
            self._unclear = None
        try:
            return await self._slack.upload(
                self._path, self._name, channel=self._channel, thread_ts=self._thread_ts, begun=self._note
            )
        except SlackRefused:
            self._unclear = None
            raise

    async def _note(self, file_id: str) -> None:
        self._unclear = file_id
        if self._begun is not None:
            await self._begun(file_id)

    async def _stands(self, file_id: str, channel: str) -> bool:
        """Whether the file is shown in *channel*, now or a little later; one that is there and is not shown
        is taken back, lest it is later still."""
        known = False
        for pause_s in (*LATE_PAUSES_S, None):
            shown_in = await self._shown_in(file_id)
            if shown_in is not None and channel in shown_in:
                return True
            known = shown_in is not None
            if pause_s is not None:
                await self._clock.sleep(pause_s)
        if not known:
            return False
        try:
            await self._slack.delete_file(file_id)
        except SlackRefused as refused:
            logger.info("file %s, shown nowhere, stays: %s", file_id, refused.error)
        return False

    async def _shown_in(self, file_id: str) -> Collection[str] | None:
        """The channels of a file; None if Slack knows no such file, which it also says of one that was not
        completed yet. What only has to wait is refused, and what nobody can see is unclear."""
        try:
            return (await self._slack.file_info(file_id)).shown_in
        except SlackRefused as refused:
            if meaning(refused) is Meaning.MESSAGE_GONE:
                return None
            if meaning(refused) in WAITING:
                raise
            raise SlackUnclear(refused.method) from refused
