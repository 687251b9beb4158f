"""What the API says of a model to an account, in every way in which it, or a gateway, may say it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx2
import pytest

from darkroom.rendering.access import Access, ModelSeen
from darkroom.rendering.account import Account
from darkroom.rendering.provider import Provider

MODEL = "gpt-image-2"
LISTED = {"id": MODEL, "object": "model", "created": 1, "owned_by": "system"}


def refusal(message: str, code: str | None = None) -> dict[str, Any]:
    """An error as the API writes it."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


async def look(status: int, body: Any, *, kind: str = "application/json") -> ModelSeen:
    """What is made of one answer."""
    content = body if isinstance(body, str) else json.dumps(body)

    async def chunks() -> AsyncIterator[bytes]:
        yield content.encode()

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.method == "GET"
        assert request.url.path == f"/v1/models/{MODEL}"
        return httpx2.Response(status, content=chunks(), headers={"content-type": kind})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        return await Account(Provider("http://scripted/v1", "sk-test", http_client=client)).look_up(MODEL)


@pytest.mark.parametrize(
    ("more", "shutdown"),
    [
        ({}, None),
        ({"shutdown_date": None}, None),
        ({"shutdown_date": "2026-12-01"}, date(2026, 12, 1)),
        ({"shutdown_date": "soon"}, None),
        ({"shutdown_date": 7}, None),
    ],
)
async def test_a_model_is_listed_with_the_end_that_the_api_names(
    more: dict[str, Any], shutdown: date | None
) -> None:
    assert await look(200, {**LISTED, **more}) == ModelSeen(MODEL, Access.LISTED, shutdown)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            404,
            refusal(
                f"The model '{MODEL}' does not exist or you do not have access to it.", "model_not_found"
            ),
        ),
        (403, refusal(f"Project `proj_1` does not have access to model `{MODEL}`", "model_not_found")),
        (403, refusal("Your organization must be verified to use the model `gpt-image-2`.")),
    ],
)
async def test_a_model_is_refused_in_the_words_of_the_api(status: int, body: dict[str, Any]) -> None:
    seen = await look(status, body)
    assert seen.access is Access.REFUSED
    assert seen.message == body["error"]["message"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, refusal("Incorrect API key provided: sk-abcdefgh1234.", "invalid_api_key")),
        (
            403,
            refusal("You have insufficient permissions for this operation. Missing scopes: api.model.read."),
        ),
        (404, "<h1>Not found</h1>"),
        (404, refusal("Invalid URL (GET /v1/models/gpt-image-2)")),
        (429, refusal("Rate limit reached", "rate_limit_exceeded")),
        (500, refusal("The server had an error")),
        (503, "<h1>Busy</h1>"),
        (302, ""),
        (200, "<h1>Welcome</h1>"),
        (200, "[]"),
        (200, "nonsense"),
    ],
)
async def test_what_says_nothing_of_the_model_leaves_it_unknown(status: int, body: Any) -> None:
    """A key that may make pictures may be barred from looking models up; a gateway has its own pages."""
    kind = "text/html" if isinstance(body, str) and body.startswith("<") else "application/json"
    seen = await look(status, body, kind=kind)
    assert (seen.access, seen.shutdown) == (Access.UNKNOWN, None)
    assert seen.code or seen.message
    assert "abcdefgh" not in seen.message


async def test_nobody_at_that_address_leaves_it_unknown() -> None:
    account = Account(Provider("http://127.0.0.1:9/v1", "sk-test"))
    seen = await account.look_up(MODEL)
    await account.aclose()
    assert seen.access is Access.UNKNOWN
    assert seen.message
