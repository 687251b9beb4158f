"""Who is called, with what, and with nothing else."""

from __future__ import annotations

import pytest

from darkroom.clock import SystemClock
from darkroom.rendering.address import provider_name
from darkroom.rendering.provider import Provider
from darkroom.rendering.responses import ResponsesRenderer
from storage.blobs import BlobStore
from tests.rendering.support import JOB, Script, Scripted, fixture_stream, nobody, renderer


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        (None, "openai"),
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://api.openai.com.evil.example/v1", "api.openai.com.evil.example"),
        ("http://127.0.0.1:8700/v1", "127.0.0.1:8700"),
        ("https://user:secret@Images.Example/v1", "images.example"),
    ],
)
def test_the_provider_is_named_after_its_host(base_url: str | None, name: str) -> None:
    """Never after anything secret in the address."""
    assert provider_name(base_url) == name


@pytest.mark.parametrize("key", ["", "sk-a b", "sk-a\n", "ключ"])
def test_a_key_that_can_be_none_is_refused(key: str) -> None:
    """Rather than failing in the middle of a call."""
    with pytest.raises(ValueError, match="API key"):
        Provider(None, key)


async def test_variables_of_the_environment_change_nothing(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where to, not as whom, and no header of their own."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-environment")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-environment")
    monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", "secret-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Environment: yes\nAuthorization: Bearer environment")
    transport = Scripted(Script([fixture_stream("image_ok")]))
    await renderer(transport, blobs).render(JOB, nobody)
    (request,) = transport.requests
    assert request.headers["authorization"] == "Bearer sk-test"
    assert request.url.host == "scripted"
    assert "environment" not in str(request.headers.raw)
    assert not {"openai-organization", "openai-project", "x-environment"} & set(request.headers)


async def test_each_request_is_sent_once(blobs: BlobStore) -> None:
    """One hold is one request: nothing is repeated and no redirect followed."""
    for status in (302, 307, 408, 409, 429, 500, 503):
        headers = {"location": "http://elsewhere/v1/responses"}
        transport = Scripted(Script.json({"error": {}}, status, headers))
        answer = await renderer(transport, blobs).render(JOB, nobody)
        assert answer.failure is not None
        assert len(transport.requests) == 1


async def test_without_an_address_it_is_openai_itself(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when a variable names another."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere/v1")
    provider = Provider(None, "sk-test")
    assert provider.name == "openai"
    assert str(provider.client.base_url) == "https://api.openai.com/v1/"
    await ResponsesRenderer(provider, blobs, SystemClock()).aclose()
    assert provider.client.is_closed()
