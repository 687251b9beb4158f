"""The full report on its way to whoever asked for it: tables, then the chart, then the CSV file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from darkroom.clock import Clock
from darkroom.spending.reports import PersonSpend, SpendReport
from darkroom.spending.spans import Span, first_and_last
from darkroom.spending.tables import By, Table, csv_text, table
from handlers.blocks.daily import chart_alt_text, chart_block
from handlers.blocks.report import models_view, people_view
from handlers.blocks.tables import ROWS_MAX, Style
from handlers.blocks.text import View, context, escape
from handlers.chart import ChartsMissing, draw_chart
from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.posting import FILE_PAUSES_S, PASSING, Poster, Repeat, name_of
from handlers.words_delivery import why_not_there

T = TypeVar("T")

logger = logging.getLogger("darkroom.handlers")

NAMES_S = 60.0
"""As long as names are looked up; who is not named by then appears as an id."""
BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"}
)
"""What Slack says of blocks that it does not take, or not yet in this workspace."""
_PLAINER = {Style.DATA_TABLE: Style.TABLE, Style.TABLE: Style.WORDS}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the report goes on: in a direct message one after the other, in a channel in a thread."""

    channel: str
    thread_ts: str | None


class Reporter:
    """Sends reports. Every wait is bounded and goes through the clock.

    What Slack does not answer for is sent again: a part may come twice, rather than not at all.
    """

    def __init__(self, slack: SlackClient, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self._repeat = Repeat(clock)
        self._poster = Poster(slack, clock)
        self._drawing = asyncio.Lock()

    async def send(self, to: str, report: SpendReport) -> None:
        """Send *report* to a person's direct message with us (or to a channel, by its id).

        Raises ``SlackRefused`` or ``SlackUnclear`` when not even the first message could be posted. What
        fails after that is said in a sentence, and the rest still comes.
        """
        names = await self._names(report.people[:ROWS_MAX])
        style, place = await self._begin(to, report, names)
        if report.models:
            await self._tried(place, "The models", lambda: self._models(place, report, style))
        if any(report.classes[name].charged_nano_usd for name in report.classes):
            await self._tried(place, "The chart", lambda: self._chart(place, report))
        if report.people:
            await self._tried(place, "The CSV file", lambda: self._csv(place, report, names))

    async def _names(self, people: Sequence[PersonSpend]) -> dict[str, str]:
        names: dict[str, str] = {}
        until = self._clock.monotonic() + NAMES_S
        for user_id in (person.user_id for person in people if person.user_id):
            if self._clock.monotonic() > until:
                break
            try:
                names[user_id] = (await self._slack.user(user_id)).name
            except SlackRefused as refused:
                if refused.error in PASSING:
                    break
            except SlackUnclear:
                break
        return names

    async def _begin(self, to: str, report: SpendReport, names: Mapping[str, str]) -> tuple[Style, _Place]:
        async def post(style: Style) -> Posted:
            view = people_view(report, names, style)
            return await self._repeat(lambda: self._slack.post_private(to, view.text, blocks=view.blocks))

        style, posted = await _as_taken(Style.DATA_TABLE, post)
        return style, _Place(posted.channel, None if posted.channel.startswith("D") else posted.ts)

    async def _models(self, place: _Place, report: SpendReport, style: Style) -> None:
        async def post(style: Style) -> None:
            await self._post(place, models_view(report, style))

        await _as_taken(style, post)

    async def _chart(self, place: _Place, report: SpendReport) -> None:
        block = chart_block(report)
        if block is not None:
            words = escape(chart_alt_text(report, stacked=False))
            try:
                await self._post(place, View(words, (block, context(words))))
            except SlackRefused as refused:
                if refused.error not in BLOCKS_REFUSED:
                    raise
            else:
                return
        with TemporaryDirectory(prefix="darkroom-chart-") as folder:
            path = Path(folder) / f"{_file_name(report.span)}.png"
            async with self._drawing:
                await asyncio.to_thread(draw_chart, report, path)
            await self._post_picture(place, path, chart_alt_text(report))

    async def _post_picture(self, place: _Place, path: Path, words: str) -> None:
        file_id = await self._poster.upload(path, path.name)
        await self._poster.wait_until_usable(file_id)
        image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": words}
        for pause_s in FILE_PAUSES_S:
            try:
                await self._post(place, View(escape(words), (image,)))
            except SlackRefused as refused:
                if refused.error not in {*BLOCKS_REFUSED, "file_not_found"}:
                    raise
                await self._clock.sleep(pause_s)
            else:
                return
        # Slack does not take the file in a message: shared as it is, with its words beside it.
        await self._poster.upload(path, path.name, channel=place.channel, thread_ts=place.thread_ts)
        await self._post(place, View(escape(words), ()))

    async def _csv(self, place: _Place, report: SpendReport, names: Mapping[str, str]) -> None:
        with TemporaryDirectory(prefix="darkroom-report-") as folder:
            path = Path(folder) / f"{_file_name(report.span)}.csv"
            await asyncio.to_thread(_write_csv, path, report, names)
            await self._poster.upload(path, path.name, channel=place.channel, thread_ts=place.thread_ts)

    async def _post(self, place: _Place, view: View) -> None:
        await self._repeat(
            lambda: self._slack.post_message(
                place.channel, view.text, blocks=view.blocks, thread_ts=place.thread_ts
            )
        )

    async def _tried(self, place: _Place, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do one part; what goes wrong is said, and does not stop the next."""
        try:
            await work()
        except ChartsMissing as missing:
            why = str(missing)
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("report: %s not sent: %s", what, error)
            why = f"{what} could not be sent: {why_not_there(name_of(error))}."
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            logger.warning("report: %s not made: %s", what, type(error).__name__)
            why = f"{what} could not be made on the server: its log says why."
        else:
            return
        try:
            await self._post(place, View(why, ()))
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("report: not told about %s: %s", what, error)


async def _as_taken(style: Style, post: Callable[[Style], Awaitable[T]]) -> tuple[Style, T]:
    """Post in *style*, or in the next plainer one that Slack takes."""
    while True:
        try:
            return style, await post(style)
        except SlackRefused as refused:
            if refused.error not in BLOCKS_REFUSED or style not in _PLAINER:
                raise
            logger.info("report: Slack does not take %s: %s", style.value, refused.detail or refused.error)
            style = _PLAINER[style]


def _write_csv(path: Path, report: SpendReport, names: Mapping[str, str]) -> None:
    """Everybody, with the names of those who were looked up."""
    people = table(report, By.PERSON)
    called = [names.get(person.user_id, "") for person in report.people]
    rows = tuple((*row, name) for row, name in zip(people.rows, called, strict=True))
    text = csv_text(Table((*people.header, "name"), rows))
    path.write_text(text, encoding="utf-8-sig", errors="replace", newline="")  # the mark is for Excel


def _file_name(span: Span) -> str:
    first, last = first_and_last(span)
    return f"darkroom-spend-{first}-to-{last}"
