"""``/imagine status``: people learn whether it works, how soon, with what and until when; admins what that
rests on, in four parts that never mix."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, cast

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from darkroom.rendering.access import Access, ModelSeen
from darkroom.rendering.job import Candidate
from darkroom.spending.catalogue import READ_ON
from darkroom.spending.changes import Author, SetPaused
from darkroom.turns.account_book import Limits, RateSeen
from darkroom.turns.model import Told
from darkroom.turns.outages import Closed, Gate, Outage, Slowed, Trouble
from handlers import words
from handlers.blocks.text import View
from handlers.errands import ERRANDS_MAX
from handlers.status import Status, read_status, status
from handlers.words_waiting import how_to_mend
from sandbox.slack.blocks import check_blocks
from storage.account import SqliteAccountBook
from storage.database import Database
from tests.examples import ALICE, HOST_MODEL, NOON, TEAM, caps, command, plan, settlement
from tests.handlers.gallery import made
from tests.handlers.support import CAROL, OTHER_TEAM, USUAL, Desk, said_in, slash

FALLBACK, OLD = "gpt-image-2.5-flare", "gpt-image-1.5"
HEADINGS = [
    "1. What OpenAI documents",
    "2. What this account may call",
    "3. Who answers",
    "4. What was really called",
]
SOON = NOON + timedelta(seconds=130)


@dataclass(frozen=True)
class At:
    """A gate as it stands."""

    shut: Closed | None = None
    slow: Slowed | None = None
    refuses: tuple[str, ...] = ()

    def closed(self) -> Closed | None:
        return self.shut

    def slowed(self) -> Slowed | None:
        return self.slow

    def refused(self, candidate: Candidate) -> str | None:
        return "access" if candidate.image_model in self.refuses else None


def desk_of(database: Database, **settings: Any) -> Desk:
    return Desk.make(database, **{"host_model": HOST_MODEL, "fallback": (FALLBACK,), **settings})


async def seen(desk: Desk, gate: At | None = None, *, user: str = ALICE, **changes: Any) -> View:
    """What somebody sees, which Slack takes."""
    standing = replace(desk.services.standing, **changes)
    if gate is not None:
        standing = replace(standing, gate=cast(Gate, gate))
    view = await status(replace(desk.services, standing=standing), user)
    blocks = [dict(block) for block in view.blocks]
    assert check_blocks(blocks, surface="message", file_refused=lambda _: False) == []
    return view


def read(view: View) -> str:
    """All that the eye reads."""
    found: list[str] = []
    for block in view.blocks:
        parts: Sequence[Any] = [block["text"]] if "text" in block else block.get("elements", [])
        found += [part["text"] for part in parts]
    return "\n".join(found)


def parts(view: View) -> dict[str, str]:
    """What stands under each heading."""
    found = re.split(r"^\*(\d\. .*)\*$", read(view), flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def outage(trouble: Trouble) -> At:
    return At(shut=Closed(Outage("out_1", trouble, "its own words", NOON), SOON))


@pytest.mark.parametrize(
    ("typed", "asks"),
    [
        ("status", True),
        ("STATUS", True),
        ("status?", True),
        ("status of the union", False),
        ("a status", False),
        ("status --n 2", False),
    ],
)
def test_only_the_word_alone_asks_for_it_all_else_is_a_prompt(typed: str, asks: bool) -> None:
    assert (read_status(typed) == Status()) is asks


async def test_it_is_answered_to_its_person_alone_and_makes_nothing(desk: Desk) -> None:
    assert await desk.type("status") == ""
    said = desk.slack.only("respond")
    assert said.text.startswith("Darkroom works. Queue: nobody waits; a new request is begun at once.")
    assert desk.line.turns == []


async def test_people_see_none_of_what_is_for_admins(database: Database) -> None:
    desk = desk_of(database)
    await made(desk)
    view = await seen(desk)
    assert parts(view) == {}
    for hidden in ("openai", "catalogue", "picture, ", "called"):
        assert hidden not in view.text.lower().replace("openai lets", "")
    assert list(parts(await seen(desk, user=CAROL))) == HEADINGS


async def test_the_length_of_the_line(desk: Desk) -> None:
    view = await seen(desk, pulse=lambda: (8, 15, ()))
    assert "8 requests are being made, 15 requests wait" in view.text
    one = await seen(desk, pulse=lambda: (1, 0, ()))
    assert "1 request is being made, nobody waits; a new request is begun at once" in one.text


async def test_how_long_a_picture_takes_is_said_when_some_were_made(desk: Desk) -> None:
    assert "usually takes" not in (await seen(desk)).text
    await _made_in(desk, 20)
    view = await seen(desk, pulse=lambda: (8, 15, ()))
    assert "a new request is begun in about 40 s and a picture usually takes about 20 s" in view.text


async def _made_in(desk: Desk, seconds: float) -> None:
    now, limits = desk.clock.now(), desk.services.config.caps
    turn = await desk.arrive(command(trigger="slow"))
    await desk.store.queue(turn.id, plan("slow"), limits, now)
    await desk.store.tell(turn.id, Told.PLACEHOLDER, "1763640000.000900", now)
    await desk.store.hold(turn.id, plan("slow"), limits, now)
    await desk.store.send("slow", now)
    later = now + timedelta(seconds=seconds)
    await desk.store.render("slow", settlement(100, picture_id="slow"), limits, later)
    await desk.services.standing.account.choose("openai", now)


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_an_outage_is_said_with_its_beginning_and_what_to_do(desk: Desk, trouble: Trouble) -> None:
    people, admins = await seen(desk, outage(trouble)), await seen(desk, outage(trouble), user=CAROL)
    for view in (people, admins):
        assert view.text.startswith("Darkroom cannot make pictures at the moment. ")
        assert "since 20 November 2026, 12:00 (UTC)" in view.text
        assert "the next try is in about 3 min" in view.text
        assert "begun" not in view.text
        assert ("Nothing new is taken in" in view.text) is trouble.stops_intake
    assert "ask an admin or owner of this workspace" in people.text
    assert "its own words" not in people.text
    assert how_to_mend(trouble) in admins.text


async def test_a_pause_is_said_and_admins_read_what_ends_it(desk: Desk) -> None:
    await desk.services.admin.change(SetPaused(True), Author(TEAM, CAROL, "c:1"), caps(), NOON)
    people, admins = await seen(desk), await seen(desk, user=CAROL)
    assert people.text.startswith("Darkroom is paused. ")
    assert "resume" not in people.text
    assert "`/spend resume` ends that" in admins.text


async def test_a_rate_limit_that_somebody_waits_for_is_said(desk: Desk) -> None:
    slow = At(slow=Slowed(NOON + timedelta(seconds=25), 5))
    view = await seen(desk, slow, pulse=lambda: (8, 10, ()))
    assert view.text.startswith(
        "Darkroom works, and slowly. OpenAI lets this account make 5 pictures a minute"
    )
    assert "a new request is begun in about 2 min" in view.text
    with_places = await seen(desk, slow, pulse=lambda: (3, 0, ()))
    assert "at once" not in with_places.text, "it has a place, and waits for the rate limit there"


async def test_the_models_in_their_order_and_the_one_that_is_used_now(database: Database) -> None:
    desk = desk_of(database)
    assert f"Model: `{USUAL}`; where that cannot be had, `{FALLBACK}`" in (await seen(desk)).text
    refused = await seen(desk, At(refuses=(USUAL,)))
    assert f"Model: `{FALLBACK}`, because `{USUAL}` is refused to this account" in refused.text
    none = await seen(desk, At(refuses=(USUAL, FALLBACK)))
    assert f"Model: none; `{USUAL}` is refused to this account; `{FALLBACK}` is refused" in none.text
    assert none.text.startswith("Darkroom cannot make pictures at the moment. The image API refuses ")
    assert "Ask an admin" in none.text
    admins = await seen(desk, At(refuses=(USUAL, FALLBACK)), user=CAROL)
    assert "Part 2 below has the API's own words" in admins.text


async def test_what_the_api_refused_when_asked_is_not_named_as_the_model_in_use(database: Database) -> None:
    desk, book = desk_of(database), SqliteAccountBook(database)
    await book.checked("openai", ModelSeen(USUAL, Access.REFUSED, code="model_not_found"), NOON)
    assert f"Model: `{FALLBACK}`, because `{USUAL}` is refused" in (await seen(desk)).text


async def test_a_model_that_has_made_pictures_is_in_use_whatever_the_api_said_of_it(
    database: Database,
) -> None:
    desk, book = desk_of(database), SqliteAccountBook(database)
    refused = ModelSeen(USUAL, Access.REFUSED, code="model_not_found")
    await book.checked("openai", refused, desk.clock.now() + timedelta(hours=23))
    await _made_in(desk, 20)
    assert f"Model: `{USUAL}`; where" in (await seen(desk)).text
    assert f"because `{USUAL}` is refused" in (await seen(desk, At(refuses=(USUAL,)))).text
    await book.checked("openai", refused, desk.clock.now() + timedelta(hours=25))
    assert f"because `{USUAL}` is refused" in (await seen(desk)).text


async def test_until_when_is_the_earlier_of_what_is_documented_and_what_the_api_says(
    database: Database,
) -> None:
    """The catalogue's day for 1.5 is 1 December 2026; what has no end is not named."""
    desk, book = desk_of(database, fallback=(OLD,)), SqliteAccountBook(database)
    assert (
        f"Until when: `{OLD}` is shut down on 1 December 2026, in 11 days; no end is announced of the others."
        in (await seen(desk)).text
    )
    await book.checked("openai", ModelSeen(OLD, Access.LISTED, date(2026, 11, 25)), NOON)
    await book.checked("openai", ModelSeen(HOST_MODEL, Access.LISTED, date(2027, 3, 1)), NOON)
    text = (await seen(desk)).text
    assert f"`{OLD}` is shut down on 25 November 2026, in 5 days; " in text
    assert f"`{HOST_MODEL}` is shut down on 1 March 2027; no end" in text
    alone = desk_of(database, fallback=(), host_model="gpt-6-luna")
    assert "Until when: no end is announced" in (await seen(alone)).text


async def test_a_model_that_is_gone_since_the_start_is_not_used(database: Database) -> None:
    desk = desk_of(database, model=OLD, fallback=())
    desk.clock.at = NOON + timedelta(days=30)
    people, admins = await seen(desk), await seen(desk, user=CAROL)
    assert people.text.startswith("Darkroom cannot make pictures. None of its models can be used any more.")
    assert "The settings have to name another model." in admins.text
    assert f"Model: none; `{OLD}` cannot be used any more" in people.text


async def test_a_host_that_is_gone_since_the_start_is_said_with_what_it_means(database: Database) -> None:
    """Pictures go on by the Images endpoint, which answers nothing in words."""
    desk = desk_of(database, host_model="gpt-5")
    desk.clock.at = NOON + timedelta(days=30)
    text = (await seen(desk)).text
    assert text.startswith("Darkroom works.")
    assert "Until when: `gpt-5` cannot be used any more, so nothing is answered in words; no end is" in text


async def test_what_is_documented_is_dated_and_asks_nobody(database: Database) -> None:
    desk = desk_of(database, fallback=(FALLBACK, OLD))
    part = parts(await seen(desk, user=CAROL))[HEADINGS[0]]
    assert f"held against OpenAI's pages on {READ_ON.day} November 2026" in part
    lines = [line for line in part.splitlines() if line.startswith("• ")]
    assert lines[0] == (
        f"• `{USUAL}` (used when nobody names one): no end is announced; price of 21 April 2026 "
        "(OpenAI price page)"
    )
    assert lines[2].startswith(f"• `{OLD}` (a fallback): is shut down on 1 December 2026, in 11 days, then `")
    assert lines[3].startswith(f"• `{HOST_MODEL}` (the host model): ")
    assert len(lines) == 4


async def test_what_the_account_may_call_is_as_the_api_says_and_says_when(database: Database) -> None:
    desk, book = desk_of(database, fallback=(FALLBACK, OLD)), SqliteAccountBook(database)
    await book.checked("openai", ModelSeen(USUAL, Access.LISTED), NOON)
    await book.checked("openai", ModelSeen(USUAL, Access.UNKNOWN, code="timeout"), SOON)
    denied = ModelSeen(FALLBACK, Access.REFUSED, code="model_not_found", message="No <access> for you")
    await book.checked("openai", denied, NOON)
    await book.checked("openai", ModelSeen(OLD, Access.LISTED, date(2026, 11, 25)), NOON)
    await book.rated("openai", RateSeen(USUAL, "responses", Limits(5, None, 100_000), NOON))
    lines = parts(await seen(desk, user=CAROL))[HEADINGS[1]].splitlines()
    assert (
        f"• `{USUAL}`: listed (20 Nov 2026, 12:00); the last question was not answered: “timeout” "
        "(20 Nov 2026, 12:02)"
    ) in lines
    assert (
        f"• `{FALLBACK}`: refused (20 Nov 2026, 12:00): “model_not_found” “No &lt;access&gt; for you”"
        in lines
    )
    assert (
        f"• `{OLD}`: listed (20 Nov 2026, 12:00), with its end on 25 November 2026, which is *not* what the "
        "catalogue has (part 1)"
    ) in lines
    assert f"• `{HOST_MODEL}`: not asked yet; that is done within a minute after a start" in lines
    assert (
        f"• `{USUAL}` by the Responses endpoint: 5 pictures and 100,000 tokens a minute, as its answers said "
        "last (20 Nov 2026, 12:00)"
    ) in lines


async def test_an_api_that_names_no_end_does_not_say_that_there_is_none(database: Database) -> None:
    """The field is optional, and a gateway has never heard of it."""
    desk, book = desk_of(database, fallback=(OLD,)), SqliteAccountBook(database)
    await book.checked("openai", ModelSeen(OLD, Access.LISTED), NOON)
    lines = parts(await seen(desk, user=CAROL))[HEADINGS[1]].splitlines()
    assert (
        f"• `{OLD}`: listed (20 Nov 2026, 12:00); it names no end, and the catalogue does (part 1)" in lines
    )


async def test_another_provider_is_a_contract_of_its_own_and_what_was_known_of_openai_is_not_of_it(
    database: Database,
) -> None:
    desk, book = desk_of(database), SqliteAccountBook(database)
    await made(desk)
    await book.choose("openai", NOON)
    await book.choose("gateway.example", SOON)
    await book.checked("openai", ModelSeen(USUAL, Access.LISTED), NOON)
    now = parts(await seen(desk, user=CAROL, provider="gateway.example"))
    assert "This is not OpenAI: it is a contract of its own." in now[HEADINGS[2]]
    assert (
        "• `gateway.example`, the address in OPENAI_BASE_URL: chosen on 20 Nov 2026, 12:02, not called yet"
        in now[HEADINGS[2]]
    )
    assert (
        "• Before: `openai`: chosen on 20 Nov 2026, 12:00, first called on 20 Nov 2026, 12:00"
        in now[HEADINGS[2]]
    )
    assert f"• `{USUAL}`: not asked yet" in now[HEADINGS[1]]
    assert "by the Responses endpoint at `openai`: 1 call: 1 picture" in now[HEADINGS[3]]
    before = parts(await seen(desk, user=CAROL))[HEADINGS[2]]
    assert "• OpenAI, at an address of its own: chosen on 20 Nov 2026, 12:00" in before


async def test_what_was_called_has_what_became_of_it(database: Database) -> None:
    desk = desk_of(database)
    assert "• Nothing yet" in parts(await seen(desk, user=CAROL))[HEADINGS[3]]
    await _made_in(desk, 20)
    part = parts(await seen(desk, user=CAROL))[HEADINGS[3]]
    assert "The only call of this workspace, by the model that the answer named." in part
    assert (
        f"• `{USUAL}` by the Responses endpoint: 1 call: 1 picture; a picture took 20 s (median), 20 s at "
        "most" in part
    )


async def test_words_of_others_neither_mention_anybody_nor_break_out(database: Database) -> None:
    """Names and messages come from the settings and the API."""
    name = "evil`<!channel>`"
    desk, book = desk_of(database, fallback=(name,)), SqliteAccountBook(database)
    await book.checked(
        "openai", ModelSeen(name, Access.REFUSED, code="<@U1>", message="*x*\n<!here>" * 50), NOON
    )
    for user in (ALICE, CAROL):
        view = await seen(desk, user=user)
        for markup in ("<!", "<@U1"):
            assert markup not in read(view) + view.text


async def test_a_great_many_models_still_fit(database: Database) -> None:
    desk, book = desk_of(database), SqliteAccountBook(database)
    for number in range(150):
        rate = RateSeen(f"gpt-image-{number}-{'x' * 60}", "responses", Limits(5, 5, 5), NOON)
        await book.rated("openai", rate)
    view = await seen(desk, user=CAROL)
    assert len(view.text) <= 4_000
    assert len(read(view)) < 12_000
    assert re.search(r"And \d+ more\.", read(view))


async def test_nobody_of_another_workspace_learns_anything(desk: Desk) -> None:
    assert await desk.type("status", team_id=OTHER_TEAM) == words.OUTSIDER
    assert desk.slack.calls == []


async def test_too_many_questions_at_once_are_said(desk: Desk) -> None:
    release = asyncio.Event()

    async def wait() -> None:
        await release.wait()

    for number in range(ERRANDS_MAX):
        desk.services.errands.start(f"{number}", wait())
    request = AsyncBoltRequest(mode="socket_mode", body=slash("/imagine", "status"))
    answer = said_in(await desk.app.async_dispatch(request))
    assert answer == words.busy_with_status(desk.services.config.voice)
    release.set()
    await desk.services.errands.idle()
