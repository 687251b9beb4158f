"""The organisation's bill as the sandbox tells it: its own prices, by day, in pages, for admin keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.admin.organization import UsageCostsResponse

from sandbox.images.api import ImageApi
from sandbox.images.costs import DAY
from sandbox.images.faults import Fault
from sandbox.images.server import serve_images
from tests.sandbox_images.support import KEY, Clock, ask, check, quick_api, unknown_fields

ADMIN = {"authorization": "Bearer sk-admin-test"}
MONDAY = int(datetime(2026, 11, 16, tzinfo=UTC).timestamp())
NOON = MONDAY + DAY // 2


@pytest.fixture
def clock() -> Clock:
    """Monday, at noon."""
    return Clock(float(NOON))


@pytest.fixture
def api(clock: Clock) -> ImageApi:
    """The API on that clock."""
    return quick_api(now=clock.now, sleep=clock.sleep, keys=frozenset({"sk-test"}))


async def told(api: ImageApi, **query: Any) -> dict[str, Any]:
    """A page of costs, from Monday on unless `query` says otherwise."""
    asked = {name: str(value) for name, value in ({"start_time": MONDAY} | query).items()}
    answer = await api.organization_costs(ADMIN, asked)
    assert answer.status == 200, answer.body
    return answer.body or {}


def amounts(page: dict[str, Any]) -> list[list[Any]]:
    """What was billed, by bucket."""
    return [[result["amount"]["value"] for result in bucket["results"]] for bucket in page["data"]]


async def test_what_was_generated_is_billed_at_the_published_prices_on_its_day(
    api: ImageApi, clock: Clock
) -> None:
    made = await ask(api)
    clock.time += DAY
    await ask(api)
    await ask(api)
    page = await told(api)
    usage, image = made["usage"], made["tool_usage"]["image_gen"]
    host_nano = 200 * usage["input_tokens"] + 1_200 * usage["output_tokens"]
    nano = host_nano + 5_000 * image["input_tokens"] + 30_000 * image["output_tokens"]
    assert image["output_tokens"] == 196
    assert amounts(page) == [[nano / 10**9], [2 * nano / 10**9]]
    assert (page["has_more"], page["next_page"]) == (False, None)


async def test_the_page_is_what_the_client_expects_and_names_the_organisation(api: ImageApi) -> None:
    await ask(api)
    page = await told(api, group_by="line_item")
    results = page["data"][0]["results"]
    assert {result["organization_id"] for result in results} == {"org-sandbox"}
    assert "gpt-image-2, image_output" in {result["line_item"] for result in results}
    for result in results:
        del result["organization_id"]
    check(UsageCostsResponse, page)


async def test_refused_and_dropped_calls_are_not_billed(api: ImageApi) -> None:
    api.faults.append(Fault(status=500, body={}))
    await api.create_response({}, KEY)
    await api.create_response({"model": "X", "input": "a fox"}, KEY)
    assert amounts(await told(api)) == [[]]


async def test_images_of_the_images_api_are_billed_without_a_host(api: ImageApi) -> None:
    await api.generate_images({"model": "gpt-image-2", "prompt": "a fox", "quality": "low", "n": 2}, KEY)
    page = await told(api, group_by="line_item")
    items = {result["line_item"]: result["quantity"] for result in page["data"][0]["results"]}
    assert items == {"gpt-image-2, image_output": 392, "gpt-image-2, text_input": 2}


async def test_pages_follow_each_other_without_gap_or_repetition(api: ImageApi, clock: Clock) -> None:
    clock.time += 9 * DAY
    starts: list[int] = []
    query: dict[str, Any] = {"limit": 4}
    while True:
        page = await told(api, **query)
        assert len(page["data"]) <= 4
        starts += [bucket["start_time"] for bucket in page["data"]]
        if not page["has_more"]:
            break
        query["page"] = page["next_page"]
    assert starts == [MONDAY + number * DAY for number in range(10)]
    assert len((await told(api))["data"]) == 7


async def test_only_the_days_before_the_end_are_told(api: ImageApi) -> None:
    assert len((await told(api, end_time=MONDAY + 2 * DAY, limit=180))["data"]) == 2


async def test_another_project_has_no_costs(api: ImageApi) -> None:
    await ask(api)
    mine = await told(api, **{"project_ids[]": "proj_sandbox", "group_by[]": "project_id"})
    assert [result["project_id"] for result in mine["data"][0]["results"]] == ["proj_sandbox"]
    assert amounts(await told(api, project_ids="proj_other")) == [[]]


async def test_the_bill_can_be_off_and_can_be_told_in_text(api: ImageApi) -> None:
    api.bill.charge(NOON, None, "gpt-image-2", {"image_output": 196})
    api.bill.factor = Fraction(3, 2)
    api.bill.as_text = True
    assert amounts(await told(api)) == [["0.00882"]]
    api.bill.forget()
    assert amounts(await told(api)) == [[]]


async def test_the_oldest_days_are_forgotten() -> None:
    api = quick_api()
    for number in range(1_005):
        api.bill.charge(float(number * DAY), None, "gpt-image-2", {"image_output": 1})
    assert amounts(await told(api, start_time=0, end_time=6 * DAY))[4:] == [[], [0.00003]]


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("", 401, None),
        ("sk-other", 401, "invalid_api_key"),
        ("sk-test", 403, None),
        ("sk-admin-other", 401, "invalid_api_key"),
        ("sk-admin-good", 200, None),
    ],
)
async def test_only_an_admin_key_may_see_costs(
    api: ImageApi, key: str, status: int, code: str | None
) -> None:
    api.admin_keys = frozenset({"sk-admin-good"})
    answer = await api.organization_costs({"authorization": f"Bearer {key}"}, {"start_time": str(MONDAY)})
    assert answer.status == status
    if answer.status != 200:
        assert answer.body is not None
        assert answer.body["error"]["code"] == code
        assert "sk-admin-other" not in str(answer.body)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({}, "start_time"),
        ({"start_time": "x"}, "start_time"),
        ({"start_time": "10", "end_time": "10"}, "end_time"),
        ({"start_time": "10", "limit": "181"}, "limit"),
        ({"start_time": "10", "bucket_width": "1h"}, "bucket_width"),
        ({"start_time": "10", "group_by": "model"}, "group_by"),
        ({"start_time": "10", "page": "2"}, "page"),
        ({"start_time": "10", "models": "x"}, "models"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    api: ImageApi, query: dict[str, str], param: str
) -> None:
    answer = await api.organization_costs(ADMIN, query)
    assert answer.status == 400
    assert answer.body is not None
    assert answer.body["error"]["param"] == param


@pytest.fixture
async def client(api: ImageApi) -> AsyncIterator[AsyncOpenAI]:
    """The real client with an admin key."""
    server = await serve_images(api)
    async with AsyncOpenAI(
        api_key="", admin_api_key="sk-admin-test", base_url=server.url, max_retries=0
    ) as connected:
        yield connected
    await server.close()


async def test_the_real_client_reads_it(client: AsyncOpenAI, api: ImageApi) -> None:
    await ask(api)
    page = await client.admin.organization.usage.costs(
        start_time=MONDAY, group_by=["project_id", "line_item"], project_ids=["proj_sandbox", "proj_x"]
    )
    (bucket,) = page.data
    for result in bucket.results:
        assert result.object == "organization.costs.result"
        assert unknown_fields(result) == [".organization_id"]
        assert result.project_id == "proj_sandbox"
        assert result.amount is not None
        assert isinstance(result.amount.value, float)


async def test_the_real_client_meets_its_faults(client: AsyncOpenAI, api: ImageApi) -> None:
    api.faults.append(Fault("organization.costs", status=429, body={"error": {"message": "slow down"}}))
    with pytest.raises(openai.RateLimitError):
        await client.admin.organization.usage.costs(start_time=MONDAY)
    assert api.calls[-1].endpoint == "organization.costs"
    assert (await client.admin.organization.usage.costs(start_time=MONDAY)).data
