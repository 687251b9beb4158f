"""An app without a socket: each payload is posted to its Request URL, signed, as Slack does it over HTTP."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from sandbox.reading import read_json
from sandbox.slack.delivery import Socket
from sandbox.slack.model import Json
from sandbox.slack.workspace import Workspace

ANSWER_MAX: Final = 1024 * 1024
"""Bytes of an answer; a view that is pushed has a quarter of that."""
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What Slack puts into X-Slack-Signature
    (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
    base = b"v0:%d:%b" % (timestamp, body)
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def written(kind: str, payload: Json) -> tuple[bytes, str]:
    """The body for a payload, and its type: events are JSON, clicks JSON inside a form, commands a form."""
    if kind == "events_api":
        return json.dumps(payload).encode(), _JSON
    if kind == "slash_commands":
        return urlencode(
            {name: str(value) for name, value in payload.items() if value is not None}
        ).encode(), _FORM
    return urlencode({"payload": json.dumps(payload)}).encode(), _FORM


def signed(secret: str, body: bytes, content_type: str, timestamp: int) -> dict[str, str]:
    """The headers of a request."""
    return {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": str(timestamp),
        "X-Slack-Signature": signature(secret, timestamp, body),
    }


class RequestUrl:
    """Posts what a workspace has for its app to `url`, asked for each time. `open` it, then `close` it.

    It stands in the delivery where a socket would. An answer of 2xx acknowledges, its body is the app's
    answer; else an event comes again as over a socket, and who typed or clicked sees what went wrong.
    """

    def __init__(
        self, workspace: Workspace, url: Callable[[], str], now: Callable[[], float] = time.time
    ) -> None:
        self._url = url
        self._workspace = workspace
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._socket: Socket | None = None

    async def open(self) -> None:
        """From now on everything goes there, what waited first."""
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._socket = await self._workspace.attach(self._send, self._anew, self._anew)

    async def close(self) -> None:
        """Send nothing more."""
        session, self._session = self._session, None
        if self._socket is not None:
            self._workspace.detach(self._socket)
        if session is not None:
            await session.close()

    async def _anew(self) -> None:
        """There is no connection that could be ended or be old: the next request makes its own."""
        if self._session is not None:
            if self._socket is not None:
                self._workspace.detach(self._socket)
            self._socket = await self._workspace.attach(self._send, self._anew, self._anew)

    async def _send(self, message: Json) -> None:
        if "envelope_id" in message:
            self._workspace.spawn(self._post(message))
        elif message["type"] == "disconnect":
            self._workspace.spawn(self._anew())

    async def _post(self, envelope: Json) -> None:
        envelope_id = str(envelope["envelope_id"])
        body, content_type = written(envelope["type"], envelope["payload"])
        headers = signed(self._workspace.signing_secret, body, content_type, int(self._now()))
        if attempt := envelope.get("retry_attempt"):
            reason = "http_timeout" if envelope["retry_reason"] == "timeout" else envelope["retry_reason"]
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": str(reason)}
        delivery = self._workspace.delivery
        try:
            status, answer, again = await self._answered(body, headers)
        except TimeoutError:
            delivery.fail(envelope_id, "http_timeout", "operation_timeout")
        except (aiohttp.ClientError, OSError):
            delivery.fail(envelope_id, "connection_failed", "dispatch_failed")
        else:
            if 200 <= status < 300:
                self._workspace.acknowledge(envelope_id, answer)
            else:
                side = "client" if status < 500 else "service"
                delivery.fail(envelope_id, "http_error", f"http_{side}_error", again=again)

    async def _answered(self, body: bytes, headers: dict[str, str]) -> tuple[int, Json | None, bool]:
        """Its status, what it says, and whether it may come again where that is no answer."""
        if self._session is None:
            raise ConnectionResetError("closed")
        limit = aiohttp.ClientTimeout(total=self._workspace.delivery.ack_timeout_s)
        async with self._session.post(
            self._url(), data=body, headers=headers, timeout=limit, allow_redirects=False
        ) as answer:
            said = bytearray()
            async for piece in answer.content.iter_chunked(65536):
                said += piece
                if len(said) > ANSWER_MAX:
                    return 500, None, True
            again = answer.headers.get("X-Slack-No-Retry") != "1"
            return answer.status, _read(bytes(said), answer.content_type), again


def _read(body: bytes, content_type: str) -> Json | None:
    """An answer as a socket would have brought it; plain words answer a command."""
    if not body.strip():
        return None
    if content_type != _JSON:
        return {"text": body.decode(errors="replace")}
    try:
        value: Any = read_json(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
