"""Who may talk to the sandbox: programs, and its own page. Any other web page is kept out.

A browser lets every page that is open send requests to this machine. What it cannot hide: its page's
`Origin`, the name by which it found us (`Host`: a name of somebody else's that leads here is DNS rebinding),
and, also where it sends no Origin, `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/). Programs send
none of these but Host. A typed address that a foreign page then led elsewhere looks like one that was typed
here: what is opened as a page (`Sec-Fetch-Mode: navigate`) is therefore only what changes nothing.
"""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- compared with what was asked for, not bound
SMALL_BODY: Final = 4 * 1024**2
"""Bytes of a request that carries no file: ten times what Slack takes for a view."""
_OURS: Final = frozenset({"same-origin", "none"})


@dataclass(frozen=True)
class Guard:
    """By which names this machine may be asked. `any_address`: by each of its addresses too, since it listens
    at all of them; an address cannot be rebound, a name can."""

    names: frozenset[str] = LOOPBACK
    any_address: bool = False

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> str | None:
        """Why this request is not for us; None when it is."""
        host = headers.get("Host", "")
        if not self._is_ours(host):
            return f"this sandbox does not go by the name {host[:100]!r}; ask it as {self.known}"
        origin = headers.get("Origin")
        if origin is not None and origin != f"http://{host}":
            return f"pages of {origin[:100]!r} may not use the sandbox; only its own page and programs may"
        if headers.get("Sec-Fetch-Site", "none") not in _OURS and not _is_visit(method, path, headers):
            return "other pages may not use the sandbox; only its own page and programs may"
        if headers.get("Sec-Fetch-Mode") == "navigate" and not _only_shows(method, path):
            return "this is for programs; a browser may open the page and what lies under /control/"
        return None

    @property
    def known(self) -> str:
        """The names, to be read."""
        return ", ".join(sorted(self.names)) + (" or by its address" if self.any_address else "")

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and (name in self.names or (self.any_address and _is_address(name)))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _only_shows(method: str, path: str) -> bool:
    """Whether to open an address can change nothing: the page, its files, what is read with GET."""
    return method == "GET" and (path == "/" or path.startswith(("/archives/", "/page/", "/control/")))


def _is_visit(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody followed a link to the page: that only shows it."""
    shows = method == "GET" and (path == "/" or path.startswith("/archives/"))
    return shows and headers.get("Sec-Fetch-Mode") == "navigate"


def guard_of(host: str) -> Guard:
    """For a server that listens at `host`: loopback always, `host` itself, and where that is everywhere, this
    machine's name and all of its addresses."""
    if host in EVERYWHERE:
        return Guard(LOOPBACK | {socket.gethostname().lower()}, any_address=True)
    return Guard(LOOPBACK | {host.lower()})


def address(host: str, port: int) -> str:
    """Where a server that listens at `host` is found: `http://127.0.0.1:8800`. Everywhere is no place to go
    to; then it is this machine's name."""
    name = socket.gethostname().lower() if host in EVERYWHERE else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


GUARD: Final = web.AppKey("guard", Guard)
FILES: Final = web.AppKey("files", tuple[str, ...])


def keep_guard(app: web.Application, *, files: tuple[str, ...]) -> None:
    """Let an app refuse foreign pages with 403 on every route, WebSockets included, and more than
    `SMALL_BODY` with 413 on those whose paths do not begin with one of `files`; no answer of it is sniffed,
    or shown or run by a page of another origin.
    `app[GUARD]` may be replaced before the app starts."""
    app[GUARD], app[FILES] = Guard(), files
    app.middlewares.append(_checked)
    app.on_response_prepare.append(_kept_here)


def check(request: web.Request) -> None:
    """Raise 403 for what is not for us."""
    if refused := request.app[GUARD].refusal(request.method, request.path, request.headers):
        raise web.HTTPForbidden(text=refused)


@web.middleware
async def _checked(request: web.Request, handler: Handler) -> web.StreamResponse:
    check(request)
    try:
        return await _bounded(request, handler)
    except ConnectionError:
        if request.transport is not None and not request.transport.is_closing():
            raise
        # Who hung up amid their own request reads no answer, and it is no error of ours to be logged.
        return web.Response(status=400)


async def _bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path.startswith(request.app[FILES]) or not request.body_exists:
        return await handler(request)
    if (length := request.content_length) is None:
        # Nobody has said how long it is: then it is seen while it is read.
        return await handler(request.clone(client_max_size=SMALL_BODY))
    if length > SMALL_BODY:
        said = f"the body has {length:,} bytes; at most {SMALL_BODY:,} are taken here"
        raise web.HTTPRequestEntityTooLarge(SMALL_BODY, length, text=said)
    return await handler(request)


async def _kept_here(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # A browser says who asks (Sec-Fetch-Site) only to loopback and over TLS; this it heeds everywhere.
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
