"""The one client for the API, and who is on the other end of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
from openai import AsyncOpenAI

from darkroom.rendering.address import LOOPBACK, OPENAI_URL, could_be_key, provider_name

_TIMEOUT = httpx2.Timeout(None, connect=10.0, write=60.0, pool=10.0)
"""Seconds. Reading has no limit of its own: a whole call has one (``RenderJob.timeout_s``)."""
_CONNECTIONS = 100
_REFUSAL_MAX = 64 * 1024
"""Bytes of a refusal that are read. The client reads all of it into memory, however long it is."""


class Provider:
    """A client that sends each request once, and only what it was told.

    ``base_url`` None is OpenAI's own. Nothing is taken from ``OPENAI_*`` variables; a proxy from the
    environment counts, except on the way to this machine. ValueError when the key cannot be one.
    """

    def __init__(
        self, base_url: str | None, api_key: str, *, http_client: httpx2.AsyncClient | None = None
    ) -> None:
        if not could_be_key(api_key):
            raise ValueError("The API key is empty or has characters that no key has.")
        self.name = provider_name(base_url)
        self.client = AsyncOpenAI(
            api_key=api_key,
            base_url=base_url or OPENAI_URL,
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            max_retries=0,
            timeout=_TIMEOUT,
            http_client=http_client or _http_client(base_url or OPENAI_URL),
        )
        # An empty argument keeps the variable out, None keeps the empty header out; for OPENAI_CUSTOM_HEADERS
        # the client has no argument at all.
        self.client.organization = None
        self.client.project = None
        self.client._custom_headers = {}

    async def aclose(self) -> None:
        """Close the client and its connections."""
        await self.client.close()


def _http_client(base_url: str) -> httpx2.AsyncClient:
    """One connection a call: one that died while idle would make an uncertain charge of a mere reconnect.

    Redirects are not followed: a hold is for one request, to the address that was asked for.
    """
    return httpx2.AsyncClient(
        timeout=_TIMEOUT,
        limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=0),
        follow_redirects=False,
        trust_env=urlsplit(base_url).hostname not in LOOPBACK,
        event_hooks={"response": [_shorten_refusals]},
    )


async def _shorten_refusals(response: httpx2.Response) -> None:
    if not response.is_success and isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Beginning(response.stream)


class _Beginning(httpx2.AsyncByteStream):
    """The first bytes of a body."""

    def __init__(self, whole: httpx2.AsyncByteStream) -> None:
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = _REFUSAL_MAX
        async for chunk in self._whole:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return

    async def aclose(self) -> None:
        await self._whole.aclose()
