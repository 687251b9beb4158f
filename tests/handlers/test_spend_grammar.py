"""What stands behind ``/spend`` is read as it was meant, or answered with a sentence and a right example."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending import changes as c
from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.models import QUALITY_NAMES
from darkroom.spending.money import format_usd_exact
from darkroom.spending.periods import PeriodKind, zone_of
from darkroom.spending.policy import ALL, Dimension
from darkroom.spending.spans import Span, parse_span
from handlers import spend_commands as commands
from handlers.spend_commands import EXAMPLES, Changes, Command, Mistake
from handlers.spend_grammar import read_command
from handlers.spend_operands import Rules

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RULES = Rules("/spend", "Europe/Zurich", NOON, load_catalogue())
USD = 1_000_000_000
ANNA, DESIGN = c.Person("U0ANNA0001"), c.Channel("C0DESIGN01")
ANNA_SENT, DESIGN_SENT = "<@U0ANNA0001|anna>", "<#C0DESIGN01|design>"
NOVEMBER = parse_span("", RULES.timezone, NOON)
OCTOBER = parse_span("2026-10", RULES.timezone, NOON)
END_OF_NOVEMBER = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
END_OF_2026 = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
MODEL, QUALITY = Dimension.MODEL, Dimension.QUALITY


def read(text: str) -> Command:
    """What the rules make of it."""
    return read_command(text, RULES)


def change(text: str) -> Any:
    """The one change that was read."""
    found = read(text)
    assert isinstance(found, Changes), found
    assert len(found.changes) == 1
    return found.changes[0]


def mistake(text: str) -> str:
    """The sentence about the mistake."""
    found = read(text)
    assert isinstance(found, Mistake), found
    return found.sentence


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", commands.Own()),
        (" \n ", commands.Own()),
        ("help", commands.Help()),
        ("?", commands.Help()),
        ("team 2026-10-01 to 2026-10-31", commands.TeamSpend(OCTOBER)),
        (f"{ANNA_SENT} 2026-10-01 \u2013 2026-10-31", commands.PersonSpend("U0ANNA0001", OCTOBER)),
        ("team", commands.TeamSpend(NOVEMBER)),
        ("Team  this MONTH", commands.TeamSpend(NOVEMBER)),
        ("team “last month”.", commands.TeamSpend(OCTOBER)),
        ("team 2026\u201310", commands.TeamSpend(OCTOBER)),
        ("team 2026-10-01..2026-10-31", commands.TeamSpend(OCTOBER)),
        ("team 2026-10-01 … 2026-10-31", commands.TeamSpend(OCTOBER)),
        (ANNA_SENT, commands.PersonSpend("U0ANNA0001", NOVEMBER)),
        ("<@W0ANNA0001>", commands.PersonSpend("W0ANNA0001", NOVEMBER)),
        ("<@U0ANNA0001|anna b. <3>", commands.Mistake("", False)),
        (f"{ANNA_SENT} last month", commands.PersonSpend("U0ANNA0001", OCTOBER)),
        (f"{DESIGN_SENT} 2026-10", commands.ChannelSpend("C0DESIGN01", OCTOBER)),
        ("<#C0DESIGN01|>", commands.ChannelSpend("C0DESIGN01", NOVEMBER)),
        ("caps", commands.ListCaps()),
        ("grants", commands.ListGrants()),
        ("pilot", commands.ListPilots()),
        ("models", commands.ListModels()),
        ("History!", commands.ListHistory()),
        ("report last month", commands.SendReport(OCTOBER)),
        ("alerts", commands.ListAlerts()),
        ("uncertain", commands.ListUncertain()),
    ],
)
def test_what_is_looked_at(text: str, command: Command) -> None:
    if isinstance(command, Mistake):
        assert isinstance(read(text), Mistake)
    else:
        assert read(text) == command


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cap default 20", c.SetCap(c.EveryPerson(), 20 * USD)),
        ("cap default people 20 week", c.SetCap(c.EveryPerson(), 20 * USD, PeriodKind.week)),
        ("cap default channels 50", c.SetCap(c.EveryChannel(), 50 * USD)),
        ("cap channels 50", c.SetCap(c.EveryChannel(), 50 * USD)),
        ("cap everyone = 20 USD", c.SetCap(c.EveryPerson(), 20 * USD)),
        ("cap team unlimited", c.SetCap(c.Workspace(), None)),
        ("cap default channels default", c.DropCap(c.EveryChannel())),
        (f"cap {ANNA_SENT} $20 month", c.SetCap(ANNA, 20 * USD, PeriodKind.month)),
        (f"CAP {ANNA_SENT} 20,50 a Day.", c.SetCap(ANNA, 20_500_000_000, PeriodKind.day)),
        (f"cap {DESIGN_SENT} none", c.SetCap(DESIGN, None)),
        (f"cap {DESIGN_SENT} 0", c.SetCap(DESIGN, 0)),
        (f"cap {ANNA_SENT} default", c.DropCap(ANNA)),
        ("cap team 500", c.SetCap(c.Workspace(), 500 * USD)),
        (f"grant {ANNA_SENT} 15 until 2026-12-31", c.GiveGrant(ANNA, 15 * USD, END_OF_2026)),
        (f"grant {ANNA_SENT} 15 till 2026-12-31", c.GiveGrant(ANNA, 15 * USD, END_OF_2026)),
        (f"grant {ANNA_SENT} 15 2026-12-31", c.GiveGrant(ANNA, 15 * USD, END_OF_2026)),
        (f"grant {ANNA_SENT} 15 until 2026—12—31", c.GiveGrant(ANNA, 15 * USD, END_OF_2026)),
        (f"grant {DESIGN_SENT} 0.000001", c.GiveGrant(DESIGN, 1_000, END_OF_NOVEMBER)),
        ("grant team $15 until end of month", c.GiveGrant(c.Workspace(), 15 * USD, END_OF_NOVEMBER)),
        ("grant team 15 until the end of the year", c.GiveGrant(c.Workspace(), 15 * USD, END_OF_2026)),
        ("revoke 3", c.RevokeGrant(3)),
        ("revoke #3", c.RevokeGrant(3)),
        (f"block {ANNA_SENT}", c.SetBlocked(ANNA, True)),
        (f"unblock {ANNA_SENT}", c.SetBlocked(ANNA, False)),
        (f"exempt {ANNA_SENT}", c.SetExempt(ANNA, True)),
        (f"unexempt {ANNA_SENT}", c.SetExempt(ANNA, False)),
        (
            f"allow {ANNA_SENT} model gpt-image-2-2026-04-21",
            c.SetAccess(ANNA, MODEL, ("gpt-image-2",), True),
        ),
        (f"deny {DESIGN_SENT} quality high, max", c.SetAccess(DESIGN, QUALITY, ("high", "max"), False)),
        ("deny everyone models all", c.SetAccess(c.Everyone(), MODEL, (ALL,), False)),
        ("allow everyone quality default", c.SetAccess(c.Everyone(), QUALITY, (), None)),
        ("deny everyone quality default", c.SetAccess(c.Everyone(), QUALITY, (), None)),
        (f"pilot {DESIGN_SENT}", c.SetPilot(DESIGN, True)),
        (f"unpilot {ANNA_SENT}", c.SetPilot(ANNA, False)),
        ("pilot off", c.EndPilot()),
        ("pause", c.SetPaused(True)),
        ("resume", c.SetPaused(False)),
        (f"alerts {DESIGN_SENT}", c.SetAlertsChannel("C0DESIGN01")),
        ("alerts off", c.SetAlertsChannel(None)),
        ("uncertain accept 3", c.Correct(3, None)),
        ("uncertain waive 3", c.Correct(3, 0)),
        ("uncertain correct 3 0,05", c.Correct(3, 50_000_000)),
    ],
)
def test_what_is_changed(text: str, wanted: c.Change) -> None:
    assert change(text) == wanted


def test_several_pilots_at_once_are_each_their_own_change_and_named_twice_count_once() -> None:
    found = read(f"pilot {ANNA_SENT}{DESIGN_SENT} {ANNA_SENT}")
    assert found == Changes((c.SetPilot(ANNA, True), c.SetPilot(DESIGN, True)))


@pytest.mark.parametrize(
    "amount", ["-5", "\u20145", "\u22125", "NaN", "1e9", "0.0000001", "inf", "1.000.000", "five"]
)
@pytest.mark.parametrize("command", [f"cap {ANNA_SENT}", f"grant {ANNA_SENT}", "uncertain correct 3"])
def test_what_is_no_amount_is_answered_with_what_is(command: str, amount: str) -> None:
    sentence = mistake(f"{command} {amount}")
    assert "from 0 to 1,000,000 with at most six decimals, such as 20 or 20.50" in sentence
    assert f"`/spend {EXAMPLES[command.split()[0]]}`" in sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@bob", "pick the name from the list"),
        ("#design last month", "pick the name from the list"),
        ("cap @bob 20", "pick the name from the list"),
        ("block @bob", "pick the name from the list"),
        ("pilot #design", "pick the name from the list"),
        ("alerts #design", "pick the name from the list"),
        ("cap", "whose cap"),
        ("cap bob 20", "pick it from the list that Slack shows"),
        ("grant bob 20", "pick it from the list that Slack shows"),
        ("block bob", "pick it from the list that Slack shows"),
        (f"cap {ANNA_SENT} 1,000", "“1,000” is no amount"),
        (f"{ANNA_SENT} cap 20", "`cap` stands before the name. For example: `/spend cap @anna 20 month`."),
        ("cap <!channel> 20", "is none"),
        ("cap <!subteam^S0123|@designers> 20", "is none"),
        (f"cap {ANNA_SENT}", "Say how much"),
        (f"cap {ANNA_SENT} 20 year", "`month`, `week` or `day`"),
        (f"cap {ANNA_SENT} default month", "too much"),
        ("grant", "whom"),
        ("grant default 15", "a person, a channel or `team`"),
        (f"grant {ANNA_SENT}", "how much"),
        (f"grant {ANNA_SENT} 0", "more than $0.00"),
        (f"grant {ANNA_SENT} 15 until", "the last day"),
        (f"grant {ANNA_SENT} 15 until christmas", "`2026-12-31`"),
        (f"grant {ANNA_SENT} 15 until 2026-02-30", "2026-02-30"),
        (f"grant {ANNA_SENT} 15 until 2026-11-19", "is over"),
        (f"grant {ANNA_SENT} 15 until 2032-01-01", "within 5 years"),
        (f"grant {ANNA_SENT} 15 for a week", "`until`"),
        (f"grant {ANNA_SENT} 15 until 2026-02-30", "no date of the calendar. For example"),
        (f"grant {ANNA_SENT} 15 until 12/31/2026", "`2026-12-31`"),
        (f"grant {ANNA_SENT} 15 until 2026-12-5", "written like `2026-12-31`"),
        (f"grant {ANNA_SENT} 15 until 2027-1", "written like `2026-12-31`"),
        (f"grant {ANNA_SENT} 15 until 2200-01-01", "in the years 2020 to 2100"),
        (f"grant {ANNA_SENT} 15 until 2019-01-01", "in the years 2020 to 2100"),
        ("revoke", "number"),
        ("revoke three", "not the number"),
        ("revoke 0", "not the number"),
        ("revoke 3 4", "too much"),
        (f"block {DESIGN_SENT}", "one person"),
        (f"block {ANNA_SENT} please", "too much"),
        ("exempt", "whom"),
        ("allow", "whom"),
        ("allow team model all", "`everyone`"),
        ("allow everyone", "`model` or `quality`"),
        ("allow everyone size big", "`model` or `quality`"),
        ("allow everyone quality", "`low`, `medium`, `high`"),
        ("deny everyone quality best", "`low`, `medium`, `high`"),
        ("deny everyone model dall-e-9", "`gpt-image-2`"),
        ("deny everyone model gpt-image-2 default", "no model"),
        (f"deny everyone model {ANNA_SENT}", "names only"),
        ("pilot everybody", "people and channels"),
        ("pilot off now", "takes nothing behind it"),
        ("unpilot", "whom"),
        ("pause now", "too much"),
        ("alerts somewhere", "`off`"),
        ("uncertain forget 3", "accepted, corrected or waived"),
        ("uncertain accept", "number"),
        ("uncertain accept 3 4", "too much"),
        ("uncertain correct 3", "really cost"),
        ("uncertain correct 3 5 6", "too much"),
        ("team 2026-13", "2026-1"),
        ("team next month", "last month"),
        (f"team {ANNA_SENT}", "a period"),
        (f"{ANNA_SENT} {ANNA_SENT}", "a period"),
    ],
)
def test_each_mistake_says_what_is_allowed_and_shows_a_right_example(text: str, said: str) -> None:
    sentence = mistake(text)
    assert said in sentence
    assert "For example: `/spend " in sentence


@pytest.mark.parametrize("text", ["cap {} Brown 5", "grant {} Brown 5", "cap {} to Brown-Smith"])
def test_a_name_with_a_blank_that_was_typed_by_hand_is_to_be_picked(text: str) -> None:
    """Slack may make a mention of its first word, or leave all of it as it is."""
    assert "the name was not understood: pick it from the list" in mistake(text.format(ANNA_SENT))
    assert "pick the name from the list" in mistake(text.format("@Bob"))


@pytest.mark.parametrize("text", [f"cap {ANNA_SENT} 1,000", "cap team lots", "uncertain correct 3 much"])
def test_what_can_be_no_part_of_a_name_is_only_called_no_amount(text: str) -> None:
    assert "name" not in mistake(text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_right(name: str) -> None:
    text = EXAMPLES[name].replace("@anna", ANNA_SENT).replace("#design", DESIGN_SENT)
    found = read(text.replace("#darkroom", DESIGN_SENT))
    assert not isinstance(found, Mistake), found


def test_an_unknown_word_gets_the_nearest_and_help() -> None:
    sentence = mistake("histroy")
    assert "Did you mean `/spend history`?" in sentence
    assert "`/spend help`" in sentence
    assert "Did you mean" not in mistake("xyzzy")


@pytest.mark.parametrize(
    ("typed", "meant"), [("hlep", "help"), ("cpa", "cap"), ("unpause", "resume"), ("stop", "pause")]
)
def test_other_words_lead_to_ours_and_never_to_the_opposite(typed: str, meant: str) -> None:
    assert f"Did you mean `/spend {meant}`?" in mistake(typed)


@pytest.mark.parametrize(
    "text",
    [
        "<!channel>",
        "<!here|here>",
        "&lt;!channel&gt;",
        "cap <!everyone> 5",
        "block <http://x.example|@anna>",
        "\x00\x07\u202ehelp",
        "x" * 10_000,
        "<@" * 5_000,
        "\ud83d\udc00 \udc00",
        f"deny everyone model {'<' * 60}",
    ],
)
def test_hostile_text_is_never_echoed_as_it_is(text: str) -> None:
    found = read(text)
    sentence = found.sentence if isinstance(found, Mistake) else ""
    for markup in ("<!", "<@U", "<http", "\x00", "\u202e", "\udc00"):
        assert markup not in sentence
    assert len(sentence) < 700
    sentence.encode()


def test_what_slack_escaped_is_shown_escaped_once() -> None:
    assert "“&lt;!channel&gt;”" in mistake("&lt;!channel&gt;")


@given(st.text(max_size=200))
def test_any_text_is_read_or_answered(text: str) -> None:
    found = read(text)
    assert not isinstance(found, Mistake) or found.sentence.endswith(".")


_WORDS = st.sampled_from(
    [*EXAMPLES, "default", "everyone", "channels", "model", "quality", "until", "off", "all", "20", "-1"]
) | st.sampled_from(
    ["none", "team", "2026-12-31", ANNA_SENT, DESIGN_SENT, "@bob", "<!channel>", "gpt-image-2", "#3", "…"]
)


@given(st.lists(_WORDS, max_size=7))
def test_any_words_in_any_order_are_read_or_answered_with_an_example(words: list[str]) -> None:
    found = read(" ".join(words))
    if isinstance(found, Mistake):
        assert "`/spend " in found.sentence
        assert "<!channel>" not in found.sentence


PEOPLE = st.from_regex(r"[UW][A-Z0-9]{8,10}", fullmatch=True).map(c.Person)
CHANNELS = st.from_regex(r"C[A-Z0-9]{8,10}", fullmatch=True).map(c.Channel)
OWNERS = st.one_of(PEOPLE, CHANNELS, st.just(c.Workspace()))
MICROS = st.integers(0, 1_000_000 * 1_000_000)
AMOUNTS = MICROS.map(lambda micros: micros * 1_000)
DAYS = st.dates(date(2026, 11, 20), date(2031, 11, 19))
NUMBERS = st.integers(1, 999_999_999)


def end_of(day: date) -> datetime:
    """When that day is over in the workspace's zone."""
    return parse_span(day.isoformat(), RULES.timezone, NOON).end


SPANS = st.tuples(
    st.dates(date(2020, 1, 2), date(2026, 11, 20)), st.integers(0, 300).map(lambda n: timedelta(days=n))
).map(lambda two: parse_span(f"{two[0]}..{two[0] + two[1]}", RULES.timezone, NOON))
ACCESS = st.one_of(
    st.tuples(
        st.just(MODEL),
        st.lists(st.sampled_from([*sorted(RULES.catalogue.images), ALL]), min_size=1, unique=True),
    ),
    st.tuples(st.just(QUALITY), st.lists(st.sampled_from([*QUALITY_NAMES, ALL]), min_size=1, unique=True)),
)
PLACES = st.one_of(PEOPLE, CHANNELS)
CHANGES = st.one_of(
    st.builds(
        c.SetCap,
        st.one_of(OWNERS, st.just(c.EveryPerson()), st.just(c.EveryChannel())),
        st.none() | AMOUNTS,
        st.none() | st.sampled_from(PeriodKind),
    ),
    st.builds(c.DropCap, st.one_of(OWNERS, st.just(c.EveryPerson()), st.just(c.EveryChannel()))),
    st.builds(c.GiveGrant, OWNERS, AMOUNTS.filter(bool), DAYS.map(end_of)),
    st.builds(c.RevokeGrant, NUMBERS),
    st.builds(c.SetBlocked, PEOPLE, st.booleans()),
    st.builds(c.SetExempt, PEOPLE, st.booleans()),
    st.builds(
        lambda to, what, allowed: c.SetAccess(to, what[0], tuple(what[1]), allowed),
        st.one_of(PLACES, st.just(c.Everyone())),
        ACCESS,
        st.booleans(),
    ),
    st.builds(
        lambda to, dimension: c.SetAccess(to, dimension, (), None), PLACES, st.sampled_from([MODEL, QUALITY])
    ),
    st.builds(c.SetPilot, PLACES, st.booleans()),
    st.just(c.EndPilot()),
    st.builds(c.SetPaused, st.booleans()),
    st.builds(c.SetAlertsChannel, st.none() | CHANNELS.map(lambda channel: channel.channel_id)),
    st.builds(c.Correct, NUMBERS, st.none() | AMOUNTS),
)
COMMANDS = st.one_of(
    CHANGES.map(lambda one: Changes((one,))),
    st.builds(commands.TeamSpend, SPANS),
    st.builds(commands.SendReport, SPANS),
    st.builds(commands.PersonSpend, PEOPLE.map(lambda person: person.user_id), SPANS),
    st.builds(commands.ChannelSpend, CHANNELS.map(lambda channel: channel.channel_id), SPANS),
)


def days_of(span: Span) -> tuple[date, date]:
    """Its first and its last day, in its zone."""
    zone = zone_of(span.timezone)
    return span.start.astimezone(zone).date(), (span.end - timedelta(seconds=1)).astimezone(zone).date()


def named(of: Any) -> str:
    """Whom a change is about, as Slack sends it."""
    match of:
        case c.Person(user_id):
            return f"<@{user_id}|somebody else>"
        case c.Channel(channel_id):
            return f"<#{channel_id}|>"
        case c.EveryPerson():
            return "default"
        case c.EveryChannel():
            return "default channels"
        case c.Everyone():
            return "everyone"
    return "team"


def amount(nano_usd: int | None) -> str:
    """An amount, or that there is none."""
    return "none" if nano_usd is None else format_usd_exact(nano_usd)


def written_change(one: c.Change) -> str:
    """What an admin types for it."""
    match one:
        case c.SetCap(of, cap, period):
            return f"cap {named(of)} {amount(cap)} {period or ''}"
        case c.DropCap(of):
            return f"cap {named(of)} default"
        case c.GiveGrant(to, given_amount, ends_at):
            last = days_of(Span(RULES.timezone, ends_at, ends_at))[1]
            return f"grant {named(to)} {amount(given_amount)} until {last}"
        case c.RevokeGrant(number):
            return f"revoke {number}"
        case c.SetBlocked(person, on):
            return f"{'' if on else 'un'}block {named(person)}"
        case c.SetExempt(person, on):
            return f"{'' if on else 'un'}exempt {named(person)}"
        case c.SetAccess(to, dimension, values, allowed):
            words = " ".join("all" if value == ALL else value for value in values) or "default"
            return f"{'deny' if allowed is False else 'allow'} {named(to)} {dimension} {words}"
        case c.SetPilot(of, member):
            return f"{'' if member else 'un'}pilot {named(of)}"
        case c.EndPilot():
            return "pilot off"
        case c.SetPaused(paused):
            return "pause" if paused else "resume"
        case c.SetAlertsChannel(channel_id):
            return f"alerts {named(c.Channel(channel_id)) if channel_id else 'off'}"
        case c.Correct(number, charged):
            how = {None: "accept", 0: "waive"}.get(charged, "correct")
            return f"uncertain {how} {number} {amount(charged) if charged else ''}"
    raise AssertionError(one)


def written(command: Command) -> str:
    """What somebody types for it."""
    match command:
        case Changes((one,)):
            return written_change(one)
        case commands.PersonSpend(user_id, span):
            head = named(c.Person(user_id))
        case commands.ChannelSpend(channel_id, span):
            head = named(c.Channel(channel_id))
        case commands.TeamSpend(span):
            head = "team"
        case commands.SendReport(span):
            head = "report"
        case _:
            raise AssertionError(command)
    return f"{head} {'..'.join(str(day) for day in days_of(span))}"


@given(COMMANDS, st.sampled_from([str, str.upper, str.title]))
def test_every_command_written_out_is_read_back_as_itself(
    command: Command, case: Callable[[str], str]
) -> None:
    text = written(command)
    assert read(text) == command
    words = re.split(r"(<[^>]*>)", text)
    assert read("  ".join(part if part.startswith("<") else case(part) for part in words) + ".") == command


def test_an_operators_model_can_be_denied_however_its_name_is_written(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text('[image."Acme/Fox-V2"]\nfamily = "2"\naliases = ["FOX"]\n')
    rules = replace(RULES, catalogue=load_catalogue(file))
    for typed in ("Acme/Fox-V2", "acme/fox-v2", "fox"):
        read = read_command(f"deny everyone model {typed}", rules)
        assert read == Changes((c.SetAccess(c.Everyone(), MODEL, ("Acme/Fox-V2",), False),)), typed
