"""Getting a file's bytes from Slack: where they are, who may be shown the token, and what is not the file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from handlers.clients import NotTheFile, SlackRefused, SlackUnclear, TooManyBytes

DOWNLOAD_TIMEOUT_S = 90.0
"""Seconds for one download, its redirects included."""
REDIRECTS_MAX = 5
PIECE = 64 * 1024
ELSEWHERE = "elsewhere"
"""Why a file is none of Slack's: it is kept somewhere else, or the way to it leads there."""
PAGE = "page"
"""Why what came is not the file: it is a page for people, as Slack shows it to a token without the right."""

_METHOD = "download"
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10.0, sock_read=20.0)
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_TOKEN_HOSTS = ("slack.com", "slack-files.com")
_OPEN_HOSTS = ("slack-edge.com",)
"""Slack's content delivery: its addresses are signed, so that it has no use for our token."""
_PAGE_STARTS = (b"<!doctype html", b"<html")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where Slack's files may be: on its own https hosts and, where the Web API was set to an address of this
    machine, at that very address."""

    local: URL | None

    @classmethod
    def of(cls, base_url: str) -> Hosts:
        """For a Web API at *base_url*."""
        origin = URL(base_url).origin()
        return cls(origin if origin.host in _LOCAL else None)

    def may_see_token(self, url: URL) -> bool:
        """Whether the token may go along to *url*."""
        return self._is_local(url) or _is_on(url, _TOKEN_HOSTS)

    def may_have_files(self, url: URL) -> bool:
        """Whether a redirect to *url* is followed at all."""
        return self.may_see_token(url) or _is_on(url, _OPEN_HOSTS)

    def _is_local(self, url: URL) -> bool:
        return self.local is not None and url.absolute and url.origin() == self.local


def _is_on(url: URL, domains: tuple[str, ...]) -> bool:
    host = url.host or ""
    fitting = any(host == domain or host.endswith(f".{domain}") for domain in domains)
    return fitting and url.scheme == "https" and url.port == 443


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file's bytes are, and what ``files.info`` says of them; a size of 0 is unknown."""

    url: str
    media_type: str
    size_bytes: int


def place_of(file: Mapping[str, Any]) -> Place:
    """From the ``file`` object of ``files.info``; ``SlackRefused`` and ``NotTheFile`` where it has no bytes
    for us."""
    mode, access = str(file.get("mode") or ""), str(file.get("file_access") or "visible")
    if mode == "tombstone":
        raise SlackRefused("file_deleted", "files.info")
    if mode == "hidden_by_limit" or access == "hidden_by_limit":
        raise SlackRefused("hidden_by_limit", "files.info")
    if mode == "external" or file.get("is_external") is True:
        raise NotTheFile(ELSEWHERE)
    url = file.get("url_private_download") or file.get("url_private")
    if not isinstance(url, str) or not url:
        raise SlackRefused("access_denied", "files.info")
    size = file.get("size")
    return Place(url, str(file.get("mimetype") or ""), size if isinstance(size, int) else 0)


async def download(
    session: aiohttp.ClientSession,
    hosts: Hosts,
    token: str,
    place: Place,
    write: Callable[[bytes], object],
    bytes_max: int,
    timeout_s: float = DOWNLOAD_TIMEOUT_S,
) -> None:
    """Read the bytes at *place*, piece by piece, into *write*: *bytes_max* at most, within *timeout_s*.

    Raises ``TooManyBytes``, ``NotTheFile``, ``SlackRefused`` and ``SlackUnclear``; what was written by then
    is a beginning of the file.
    """
    if place.size_bytes > bytes_max:
        raise TooManyBytes
    left = bytes_max
    try:
        async with asyncio.timeout(timeout_s), aclosing(_pieces(session, hosts, token, place)) as pieces:
            async for piece in pieces:
                left -= len(piece)
                if left < 0:
                    raise TooManyBytes
                write(piece)
    except TimeoutError as error:
        raise SlackUnclear(_METHOD) from error


async def _pieces(
    session: aiohttp.ClientSession, hosts: Hosts, token: str, place: Place
) -> AsyncGenerator[bytes]:
    url = _address(place.url)
    if not hosts.may_see_token(url):
        raise NotTheFile(ELSEWHERE)
    for _ in range(REDIRECTS_MAX + 1):
        headers = {"Accept-Encoding": "identity"}
        if hosts.may_see_token(url):
            headers["Authorization"] = f"Bearer {token}"
        asking = session.get(url, headers=headers, allow_redirects=False, timeout=_TIMEOUT)
        try:
            async with asking as answer:
                if answer.status not in _REDIRECTS:
                    _check(answer)
                    async for piece in _body(answer, place):
                        yield piece
                    return
                url = _next(url, answer.headers.get("Location", ""), hosts)
        except (aiohttp.ClientError, OSError) as error:
            raise SlackUnclear(_METHOD) from error
    raise NotTheFile(ELSEWHERE)


def _address(text: str) -> URL:
    try:
        return URL(text)
    except ValueError:
        raise NotTheFile(ELSEWHERE) from None


def _next(url: URL, location: str, hosts: Hosts) -> URL:
    """Where a redirect leads, if it may be followed."""
    if not location:
        raise NotTheFile(ELSEWHERE)
    target = url.join(_address(location))
    if not hosts.may_have_files(target):
        raise NotTheFile(ELSEWHERE)
    return target


def _check(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    if status >= 500 or status == 408:
        raise SlackUnclear(_METHOD)
    if status == 429:
        raise SlackRefused("ratelimited", _METHOD)
    if status in (404, 410):
        raise SlackRefused("file_not_found", _METHOD)
    if status != 200:
        raise SlackRefused(f"http_{status}", _METHOD)
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise NotTheFile("encoded")  # asked for as it is: packed, a small answer may be endless


async def _body(answer: aiohttp.ClientResponse, place: Place) -> AsyncGenerator[bytes]:
    """The body; a page instead of the file is told from a file that is a page by what Slack says it is."""
    said = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if said == "text/html" and place.media_type != said:
        raise NotTheFile(PAGE)
    first = True
    async for piece in answer.content.iter_chunked(PIECE):
        if first and said != place.media_type and _is_page(piece):
            raise NotTheFile(PAGE)
        first = False
        yield piece


def _is_page(start: bytes) -> bool:
    return start[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGE_STARTS)
