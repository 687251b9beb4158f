"""The routes by which faults are looked at, added and cleared while the sandbox runs. Loopback only.

    GET     /control/faults        {"seed", "faults": [each rule with "id", "seen", "met", "spent"],
                                    "happened": {"slack": {name: n}, "openai": {name: n}}}
    GET     /control/faults/names  every named fault: {"slack": {"places", "faults"}, "openai": …}
    POST    /control/faults        a rule, or {"fault": [rules], "seed": n}; answers {"ok": true, "faults"},
                                   or 400 and {"ok": false, "errors"}: then nothing was added
    DELETE  /control/faults        every rule (?side=slack: of one side); what it has done is done
    DELETE  /control/faults/{id}   one of them; 404 when there is none

The time of a rule that is added here counts from then. Like the control routes they are for this machine's
own page: a foreign Host or Origin gets 403.
"""

import json
from collections.abc import Mapping

from aiohttp import web

from sandbox.faults.named import SIDES, Side
from sandbox.faults.rules import MOST_RULES, FaultPlan
from sandbox.faults.scenario import LARGEST_FILE, BadScenario, Scenario, read_document
from sandbox.faults.vocabulary import Json, vocabulary
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace


class Desk:
    """Both sides' plans as they are now: they may be the same, and may be replaced."""

    def __init__(self, workspace: Workspace, images: ImageApi | None) -> None:
        self._workspace = workspace
        self._images = images

    @property
    def plans(self) -> Mapping[Side, FaultPlan]:
        """The plan of each side that there is."""
        mine: dict[Side, FaultPlan] = {"slack": self._workspace.fault_plan}
        return mine if self._images is None else mine | {"openai": self._images.fault_plan}

    async def show(self, request: web.Request) -> web.StreamResponse:
        """What is in force, and what has happened."""
        rules = [
            standing.as_json()
            for side, plan in self.plans.items()
            for standing in plan.standing
            if standing.rule.side == side
        ]
        happened = {
            side: {name: count for (of, name), count in plan.counts.items() if of == side}
            for side, plan in self.plans.items()
        }
        seed = self._workspace.fault_plan.seed
        return web.json_response({"seed": seed, "faults": rules, "happened": happened})

    async def names(self, request: web.Request) -> web.StreamResponse:
        """The vocabulary."""
        return web.json_response(vocabulary())

    async def add(self, request: web.Request) -> web.StreamResponse:
        """All of the rules that are given, or none."""
        try:
            scenario = self._given(await request.read())
            added = self._add(scenario)
        except BadScenario as bad:
            return web.json_response({"ok": False, "errors": list(bad.mistakes)}, status=400)
        return web.json_response({"ok": True, "faults": added})

    def _given(self, body: bytes) -> Scenario:
        if len(body) > LARGEST_FILE:
            raise BadScenario([f"the body is too big, at most {LARGEST_FILE:,} bytes"])
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise BadScenario(["the body must be JSON"]) from None
        scenario = read_document(document)
        if strange := {rule.side for rule in scenario.rules} - set(self.plans):
            raise BadScenario([f"there is no {side} here" for side in sorted(strange)])
        if max(len(plan.standing) for plan in self.plans.values()) + len(scenario.rules) > MOST_RULES:
            raise BadScenario([f"at most {MOST_RULES} rules are kept: clear them first"])
        return scenario

    def _add(self, scenario: Scenario) -> list[Json]:
        now = self._workspace.now()
        if scenario.seed is not None:
            for plan in self.plans.values():
                plan.seed = scenario.seed
        return [self.plans[rule.side].add(rule, now).as_json() for rule in scenario.rules]

    async def clear(self, request: web.Request) -> web.StreamResponse:
        """Every rule, or those of one side."""
        wanted = request.query.get("side")
        if wanted is not None and wanted not in self.plans:
            return web.json_response({"ok": False, "errors": [f"there is no side {wanted!r}"]}, status=400)
        for side in SIDES:
            if side in self.plans and wanted in (None, side):
                self.plans[side].clear(side)
        return web.json_response({"ok": True})

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """One rule by its id."""
        rule_id = request.match_info["id"]
        if not any(plan.remove(rule_id) for plan in self.plans.values()):
            return web.json_response({"ok": False, "errors": [f"there is no rule {rule_id!r}"]}, status=404)
        return web.json_response({"ok": True})


def add_faults(app: web.Application, workspace: Workspace, images: ImageApi | None = None) -> None:
    """Add the routes to an app made by `slack_app`; without `images` there is Slack's side alone."""
    desk = Desk(workspace, images)
    app.router.add_get("/control/faults", desk.show)
    app.router.add_post("/control/faults", desk.add)
    app.router.add_delete("/control/faults", desk.clear)
    app.router.add_get("/control/faults/names", desk.names)
    app.router.add_delete("/control/faults/{id}", desk.remove)
