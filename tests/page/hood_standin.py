"""A stand-in for what the sandbox tells from under the hood, in plain lists."""

from typing import Any

from aiohttp import web

from sandbox.slack.workspace import Workspace
from tests.page.conftest import DESIGN

Json = dict[str, Any]
EVIL = "<img src=x onerror='window.ran=1'>"
CLOCK = {
    "now": "2026-11-21T18:42:00Z",
    "said": "Saturday, 21 November 2026, 19:42",
    "timezone": "Europe/Berlin",
}
REAL = {"images": False, "words": "Everything here is made on this machine."}
BUDGET = {
    "name": "Alice's month",
    "cap_usd": "10",
    "charged_usd": "3.20",
    "held_usd": "0.23",
    "left_usd": "6.57",
    "granted_usd": "0",
    "drawn_usd": "0",
    "renews": "1 December",
}
SWITCHES: list[Json] = [
    {
        "id": "pace",
        "label": "A picture takes",
        "about": "seconds",
        "kind": "number",
        "value": 4,
        "min": 0,
        "max": 30,
        "unit": "s",
        "group": "image API",
    },
    {
        "id": "closed",
        "label": "No money left",
        "about": "Every call is refused until this is off.",
        "kind": "toggle",
        "value": False,
        "group": "image API",
    },
    {
        "id": "next_month",
        "label": "Next month",
        "about": "",
        "kind": "press",
        "value": None,
        "group": "time",
    },
]


def entry(number: int, kind: str, name: str, said: str, **more: Any) -> Json:
    """A finished call; `more` says what is different about it."""
    made: Json = {"id": number, "at": 1795286520 + number, "kind": kind, "name": name, "said": said}
    made |= {"ms": 12.0, "ok": True, "error": None, "channel": DESIGN, "thread": None, "tokens": None}
    return made | {"price_usd": None, "again": 0} | more


def attempt(state: str, charged: str = "0", **more: Any) -> Json:
    """A picture's attempt, at most 23 cents."""
    made: Json = {"id": 1, "turn": 1, "version": None, "state": state, "model": "gpt-image-2-2026-04-21"}
    made |= {"endpoint": "responses", "held_usd": "0.23", "charged_usd": charged, "classes": [], "note": ""}
    return made | more


class Hood:
    """Answers as the routes under the hood do, from plain lists."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.entries: list[Json] = []
        self.attempts: list[Json] = []
        self.switches = [dict(one) for one in SWITCHES]
        self.turned: list[Json] = []
        self.answer: Any = "the answer"
        self.real = REAL
        self.clock = CLOCK
        self.budgets: list[Json] = [BUDGET]

    def add_to(self, app: web.Application) -> None:
        """Add the routes; before those of the control interface, which take any name."""
        app.router.add_get("/control/hood", self._list)
        app.router.add_get("/control/hood/{id}", self._one)
        app.router.add_get("/control/switches", self._show)
        app.router.add_post("/control/switch", self._turn)
        app.router.add_get("/control/ledger", self._ledger)

    def happen(self, made: Json) -> None:
        """A call begins, or changes: it is kept, and the page is told."""
        self.entries = [one for one in self.entries if one["id"] != made["id"]] + [made]
        self.workspace.changed({"kind": "hood", "entry": made})

    def book(self, *attempts: Json) -> None:
        """The books of the thread say something new."""
        self.attempts = list(attempts)
        self.workspace.changed({"kind": "ledger"})

    async def _list(self, request: web.Request) -> web.StreamResponse:
        last = self.entries[-1]["id"] if self.entries else 0
        return web.json_response({"last": last, "entries": self.entries})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        found = next(one for one in self.entries if str(one["id"]) == request.match_info["id"])
        stream = [{"at_ms": 420.0, "event": "response.created", "said": EVIL}]
        return web.json_response(
            {"entry": found, "request": {"prompt": EVIL}, "answer": self.answer, "stream": stream}
        )

    def _body(self) -> web.StreamResponse:
        return web.json_response({"clock": self.clock, "real": self.real, "switches": self.switches})

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return self._body()

    async def _turn(self, request: web.Request) -> web.StreamResponse:
        given = await request.json()
        self.turned.append(given)
        for one in self.switches:
            if one["id"] == given["id"] and one["kind"] != "press":
                one["value"] = given["value"]
        return self._body()

    async def _ledger(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"attempts": self.attempts, "budgets": self.budgets})
