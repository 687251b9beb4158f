"""The ports that Darkroom listens on, where it does: free, or its own already."""

from __future__ import annotations

import asyncio
import errno
import socket

import aiohttp

from bot.doctor.finding import Finding, fail, good, warn
from bot.settings import Settings

ALL = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- not bound, but looked for
"""How all addresses of a machine are written."""
ASK_S = 5.0
"""How long who holds a port may take to say who it is."""


async def look_at_ports(settings: Settings, *, alive: bool) -> list[Finding]:
    """Each port that the settings name; *alive* says whether a Darkroom is running on the data directory."""
    wanted = []
    if settings.slack.mode == "http":
        wanted.append(("slack.port", settings.slack.host, settings.slack.port))
    if settings.watch.port is not None:
        wanted.append(("watch.port", settings.watch.host, settings.watch.port))
    hosts = {host for _, host, _ in wanted}
    ports = {port for _, _, port in wanted}
    # Who listens on all addresses has the port of each.
    if len(wanted) == 2 and len(ports) == 1 and ports != {0} and (len(hosts) == 1 or hosts & ALL):
        said = f"slack.port and watch.port are both {wanted[0][2]}"
        return [fail("watch.port", said, "Set watch.port to another one, such as 9090.")]
    return [await _port(check, host, port, alive=alive) for check, host, port in wanted]


async def _port(check: str, host: str, port: int, *, alive: bool) -> Finding:
    if port == 0:
        remedy = f"Set {check} to a fixed number: with 0 it is another one at each start."
        return warn(check, "any free port is taken, and nobody knows which", remedy)
    trouble = await asyncio.to_thread(_trouble, host, port)
    if trouble is None and not alive:
        return good(check, f"{host}:{port} is free")
    if trouble is None:
        said = f"a Darkroom is running, and does not listen on {host}:{port}"
        return warn(check, said, "Start it again: it was started with other settings.")
    if isinstance(trouble, socket.gaierror) or trouble.errno == errno.EADDRNOTAVAIL:
        remedy = (
            f"Set {check.replace('port', 'host')} to 127.0.0.1, to 0.0.0.0 (all of them) or to one of them."
        )
        return fail(check, f"{host} is no address of this machine", remedy)
    if trouble.errno == errno.EACCES:
        remedy = f"Set {check} to 1024 or more, and let the proxy listen on {port}."
        return fail(check, f"this account may not listen on port {port}", remedy)
    if trouble.errno != errno.EADDRINUSE:
        return fail(check, f"{host}:{port}: {trouble.strerror}", f"Set {check} to another one.")
    if alive and await _answers(host, port):
        return good(check, f"{host}:{port} is the running Darkroom's")
    remedy = f"Stop it (ss -ltnp 'sport = :{port}' names it), or set {check} to another one."
    return fail(check, f"another program listens on {host}:{port}", remedy)


def _trouble(host: str, port: int) -> OSError | None:
    """Why nobody could listen there now; None where one could."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            # As servers do it: connections of before that are not quite over do not count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except OSError as error:
        return error
    return None


def asked_at(host: str) -> str:
    """Where who listens on *host* is asked from this machine, as it stands in an address."""
    asked = host if host not in ALL else "::1" if host == "::" else "127.0.0.1"
    return f"[{asked}]" if ":" in asked else asked


async def _answers(host: str, port: int) -> bool:
    """Whether it says that it is alive, as Darkroom does."""
    timeout = aiohttp.ClientTimeout(ASK_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{asked_at(host)}:{port}/healthz") as answer,
        ):
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
