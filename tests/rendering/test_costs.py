"""The organisation's bill over the wire: exact amounts, bounds, and a sentence for each trouble."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.clock import Clock
from darkroom.rendering.address import OPENAI_URL
from darkroom.rendering.costs import (
    MAX_PAGE_BYTES,
    MAX_PAGES,
    PAGE_TIMEOUT_S,
    TRIES,
    Costs,
    CostsUnavailable,
    OrganizationCosts,
    costs_url,
)
from sandbox.images.api import ImageApi
from sandbox.images.faults import Fault
from sandbox.images.server import serve_images
from tests.examples import StillClock
from tests.rendering.support import HandClock, Script, Scripted

KEY = "sk-admin-very-secret"
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 20)
DAY = 86_400


def unix(day: date) -> int:
    """Its midnight, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def bucket(
    day: date, *values: object, currency: object = "usd", project: str | None = None
) -> dict[str, Any]:
    """A day with an amount for each of *values*."""
    return {
        "object": "bucket",
        "start_time": unix(day),
        "end_time": unix(day) + DAY,
        "results": [
            {
                "object": "organization.costs.result",
                "amount": {"value": value, "currency": currency},
                "project_id": project,
                "organization_id": "org-1",
            }
            for value in values
        ],
    }


def page(*buckets: object, following: object = None) -> dict[str, Any]:
    """A page, the last one unless it names a *following*."""
    return {
        "object": "page",
        "data": list(buckets),
        "has_more": following is not None,
        "next_page": following,
    }


def reader(transport: httpx2.AsyncBaseTransport, clock: Clock | None = None) -> OrganizationCosts:
    """A reader whose pages come from a script; a try takes no time."""
    client = httpx2.AsyncClient(transport=transport)
    return OrganizationCosts("http://bill/v1", KEY, clock or HandClock(), http_client=client)


async def read(*scripts: Script, clock: Clock | None = None) -> Costs:
    """What a script's pages come to."""
    return await reader(Scripted(*scripts), clock).daily(FIRST, LAST)


class Hurried(StillClock):
    """Short waits pass at once, and limits on a call never do."""

    async def sleep(self, seconds: float) -> None:
        """Move on, or stand still for good."""
        if seconds >= PAGE_TIMEOUT_S:
            await HandClock().sleep(seconds)
        await super().sleep(seconds)


@given(st.decimals(min_value=-1000, max_value=10**9, places=9))
async def test_an_amount_becomes_exactly_its_nano_dollars_as_a_number_and_as_text(amount: Decimal) -> None:
    """The digits on the wire count; a float would not hold them all."""
    text = json.dumps(page(bucket(FIRST, "AMOUNT")))
    for written in (f"{amount:f}", f'"{amount:f}"'):
        body = text.replace('"AMOUNT"', written).encode()
        costs = await read(Script([body], 200, {"content-type": "application/json"}))
        assert costs.days[FIRST] == int(amount.scaleb(9))


async def test_the_small_change_of_a_day_is_added_up_before_it_is_rounded() -> None:
    """Ten times four tenths of a nano-dollar are four."""
    tiny = ["0.0000000004"] * 10
    costs = await read(Script.json(page(bucket(FIRST, *tiny), bucket(LAST, 0.1, 0.2, 6e-9, "0E-6176"))))
    assert (costs.days[FIRST], costs.days[LAST]) == (4, 300_000_006)


async def test_every_day_that_was_asked_for_is_there_and_no_other() -> None:
    """Also where the API skips empty days, and brings one more."""
    after = LAST + timedelta(days=1)
    costs = await read(Script.json(page(bucket(LAST, 1), bucket(after, 5))))
    assert list(costs.days) == [FIRST + timedelta(days=number) for number in range(20)]
    assert sum(costs.days.values()) == costs.days[LAST] == 10**9


async def test_projects_are_added_up_by_themselves() -> None:
    """Each over all days; nameless ones together."""
    days = bucket(FIRST, 1, project="proj_a"), bucket(LAST, 2, 3, project="proj_a")
    costs = await read(Script.json(page(*days, bucket(date(2026, 11, 5), 4))))
    assert costs.projects == {"": 4 * 10**9, "proj_a": 6 * 10**9}


async def test_pages_are_followed_by_their_cursor_and_asked_with_the_admin_key() -> None:
    """One question, continued; the projects are asked for, not sorted out here."""
    transport = Scripted(
        Script.json(page(bucket(FIRST, 1), following="page_2")), Script.json(page(bucket(LAST, 2)))
    )
    costs = await reader(transport).daily(FIRST, LAST, ["proj_a", "proj_b"])
    assert (costs.days[FIRST], costs.days[LAST]) == (10**9, 2 * 10**9)
    one, two = transport.requests
    assert one.url.path == "/v1/organization/costs"
    assert one.headers["authorization"] == f"Bearer {KEY}"
    assert one.url.params["start_time"] == str(unix(FIRST))
    assert one.url.params["end_time"] == str(unix(LAST) + DAY)
    assert one.url.params["bucket_width"] == "1d"
    assert one.url.params.get_list("project_ids[]") == ["proj_a", "proj_b"]
    assert "page" not in one.url.params
    assert two.url.params["page"] == "page_2"
    assert two.url.params["start_time"] == one.url.params["start_time"]


async def test_an_api_that_always_has_one_more_page_is_stopped() -> None:
    """Whatever it says."""
    transport = Scripted(*(Script.json(page(following=f"page_{number}")) for number in range(100)))
    with pytest.raises(CostsUnavailable, match="one more page"):
        await reader(transport).daily(FIRST, LAST)
    assert len(transport.requests) == MAX_PAGES


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        [],
        {"data": None},
        page({}),
        page("x"),
        page({"start_time": "x", "results": []}),
        page({"start_time": unix(FIRST) + 1, "results": []}),
        page({"start_time": -DAY, "results": []}),
        page({"start_time": 86_400 * 10**12, "results": []}),
        page({"start_time": unix(FIRST), "results": ["x"]}),
        page({"start_time": unix(FIRST), "results": [{"amount": 5}]}),
        page(bucket(FIRST, 1), bucket(FIRST, 1)),
        page(bucket(FIRST, "twelve")),
        page(bucket(FIRST, "NaN")),
        page(bucket(FIRST, "Infinity")),
        page(bucket(FIRST, float("nan"))),
        page(bucket(FIRST, "1e999999999")),
        page(bucket(FIRST, "1e-999999999")),
        page(bucket(FIRST, 10**13)),
        page(bucket(FIRST, True)),
        page(bucket(FIRST, [1])),
        page(following=7),
    ],
)
async def test_an_answer_that_makes_no_sense_is_never_half_of_a_bill(body: object) -> None:
    """It is told as such, at once."""
    transport = Scripted(Script.json(body))
    with pytest.raises(CostsUnavailable, match="makes no sense"):
        await reader(transport).daily(FIRST, LAST)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000, b'{"data": [' + b"9" * 5000])
async def test_what_is_no_json_is_told_as_such(body: bytes) -> None:
    """A page of a proxy, or nothing."""
    with pytest.raises(CostsUnavailable, match="it is no JSON"):
        await read(Script([body], 200, {"content-type": "application/json"}))


async def test_the_same_page_again_and_again_is_noticed() -> None:
    """A cursor leads on, or it is none."""
    again = Script.json(page(following="page_2"))
    with pytest.raises(CostsUnavailable, match="not a new one"):
        await read(again, again, again)


async def test_an_endless_answer_is_cut_off() -> None:
    """At some megabytes."""
    with pytest.raises(CostsUnavailable, match="too long"):
        await read(Script([b" " * 1_000_000] * (MAX_PAGE_BYTES // 1_000_000 + 2)))


async def test_results_without_an_amount_count_nothing() -> None:
    """As the API's own type allows."""
    empty = {"object": "organization.costs.result"}
    null = {"object": "organization.costs.result", "amount": {"value": None, "currency": None}}
    costs = await read(Script.json(page({"start_time": unix(FIRST), "results": [empty, null]})))
    assert costs.days[FIRST] == 0


async def test_another_currency_is_not_taken_for_dollars() -> None:
    """There is no rate to compare them by."""
    with pytest.raises(CostsUnavailable, match="billed in eur"):
        await read(Script.json(page(bucket(FIRST, 1, currency="eur"))))


def refusal(message: str) -> dict[str, Any]:
    """A body of the API's."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "--project"),
        (401, "OPENAI_ADMIN_KEY"),
        (403, "api.usage.read"),
        (404, "OPENAI_BASE_URL"),
        (302, "OPENAI_BASE_URL"),
    ],
)
async def test_a_refusal_says_what_to_do_and_is_not_repeated(status: int, words: str) -> None:
    """In the API's own words too, but never with the key."""
    said = Script.json(refusal(f"Nobody knows {KEY} or {KEY[:6]}***, says the API."), status)
    transport = Scripted(said)
    with pytest.raises(CostsUnavailable, match=words) as raised:
        await reader(transport).daily(FIRST, LAST)
    assert len(transport.requests) == 1
    assert str(raised.value).startswith("bill ")
    assert "says the API" in str(raised.value)
    assert "very-secret" not in str(raised.value)
    assert "sk-adm" not in str(raised.value).replace("(sk-admin-…)", "")


async def test_only_the_apis_own_words_are_quoted_and_no_page_of_a_proxy() -> None:
    """Which may be long, and says nothing."""
    html = Script([b"<html>" + b"x" * 3000], 401, {"content-type": "text/html"})
    with pytest.raises(CostsUnavailable) as raised:
        await read(html)
    assert "html" not in str(raised.value)


@pytest.mark.parametrize(("status", "words"), [(429, "too often"), (500, "trouble"), (503, "trouble")])
async def test_what_may_pass_is_tried_again_a_few_times_and_then_told(status: int, words: str) -> None:
    """With a wait between."""
    clock = Hurried()
    transport = Scripted(*[Script.json(refusal("Later."), status)] * 10)
    with pytest.raises(CostsUnavailable, match=words):
        await reader(transport, clock).daily(FIRST, LAST)
    assert len(transport.requests) == TRIES
    assert clock.slept == [2.0, 4.0]


async def test_it_goes_on_when_the_trouble_has_passed() -> None:
    """After the wait that the API asked for."""
    clock = Hurried()
    late = Script.json(refusal("Later."), 429, {"retry-after": "7"})
    lost = Script(refused=httpx2.ConnectError("gone"))
    costs = await read(late, lost, Script.json(page(bucket(FIRST, 1))), clock=clock)
    assert costs.days[FIRST] == 10**9
    assert clock.slept == [7.0, 4.0]


async def test_nobody_waits_longer_than_half_a_minute() -> None:
    """The person is told how long instead."""
    clock = Hurried()
    with pytest.raises(CostsUnavailable, match="Try again in 300 seconds"):
        await read(Script.json(refusal("Later."), 429, {"retry-after": "300"}), clock=clock)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx2.ConnectError("no way"), "cannot be reached"),
        (httpx2.ReadTimeout("late"), "did not answer in time"),
        (httpx2.RemoteProtocolError("cut"), "cannot be reached"),
    ],
)
async def test_an_api_that_cannot_be_reached_is_named(error: Exception, words: str) -> None:
    """After a few tries."""
    with pytest.raises(CostsUnavailable, match=f"bill {words}"):
        await read(*[Script(refused=error)] * TRIES, clock=Hurried())


async def test_an_answer_that_never_ends_is_given_up() -> None:
    """By the clock, however slowly it drips."""
    clock = HandClock()
    clock.ring()
    never = [Script([b"{", *([b" "] * 3), httpx2.ReadTimeout("never")])] * TRIES
    with pytest.raises(CostsUnavailable, match="did not answer in time"):
        await read(*never, clock=clock)


@pytest.mark.parametrize("last", [FIRST - timedelta(days=1), FIRST + timedelta(days=366)])
async def test_a_span_that_is_none_or_too_long_is_a_fault_of_the_caller(last: date) -> None:
    """Nothing is sent."""
    with pytest.raises(ValueError, match="days"):
        await reader(Scripted()).daily(FIRST, last)


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        (None, OPENAI_URL),
        ("", OPENAI_URL),
        ("https://eu.api.openai.com/v1", "https://eu.api.openai.com/v1"),
        ("http://127.0.0.1:8800/v1", "http://127.0.0.1:8800/v1"),
        ("https://gateway.example/v1", OPENAI_URL),
        ("https://api.openai.com.evil.example/v1", OPENAI_URL),
        ("nonsense", OPENAI_URL),
    ],
)
def test_an_admin_key_goes_to_openai_or_to_this_machine_and_to_nobody_else(
    base_url: str | None, asked: str
) -> None:
    """It opens the whole organisation."""
    assert costs_url(base_url) == asked


@pytest.fixture
async def api() -> AsyncIterator[tuple[ImageApi, Callable[[], OrganizationCosts]]]:
    """The sandbox's API, and a way to a reader of its bill."""
    images = ImageApi(seconds_per_picture=0.0, offload=False)
    server = await serve_images(images)
    made: list[OrganizationCosts] = []

    def open_one() -> OrganizationCosts:
        made.append(OrganizationCosts(server.url, KEY, Hurried()))
        return made[-1]

    yield images, open_one
    for each in made:
        await each.aclose()
    await server.close()


async def test_a_year_of_the_sandbox_is_read_over_http_in_several_pages(
    api: tuple[ImageApi, Callable[[], OrganizationCosts]],
) -> None:
    """To the last nano-dollar, as numbers, as text, and with a factor."""
    images, reader_of = api
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    billed = {first + timedelta(days=number): 1 + number * 7 for number in range(0, 365, 3)}
    for day, tokens in billed.items():
        images.bill.charge(unix(day) + 5, None, "gpt-image-2", {"cached_text_input": tokens})
    expected = {day: 1_250 * tokens for day, tokens in billed.items()}
    for images.bill.as_text in (False, True):
        costs = await reader_of().daily(first, last)
        assert {day: amount for day, amount in costs.days.items() if amount} == expected
        assert costs.projects == {"proj_sandbox": sum(expected.values())}
    assert len(images.calls) == 2 * 7
    images.bill.factor = Fraction(3, 2)
    assert (await reader_of().daily(first, first)).days == {first: 1_875}


async def test_its_faults_over_http(
    api: tuple[ImageApi, Callable[[], OrganizationCosts]], caplog: pytest.LogCaptureFixture
) -> None:
    """A cut connection and a 503 are tried again; no log has the key."""
    caplog.set_level(logging.DEBUG)
    images, reader_of = api
    images.faults += [Fault(drop_before=True), Fault(status=503, body=refusal("Busy."))]
    assert (await reader_of().daily(FIRST, LAST)).projects == {}
    assert len(images.calls) == 3
    images.admin_keys = frozenset({"sk-admin-another"})
    with pytest.raises(CostsUnavailable, match="does not accept the key"):
        await reader_of().daily(FIRST, LAST)
    assert "very-secret" not in caplog.text
