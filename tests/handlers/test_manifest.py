"""The manifest: Slack would take it, it is what the code says, and it asks for what is used and no more."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from handlers import web_client
from handlers.manifest import EVENT_SCOPES, EVENTS, METHOD_SCOPES, SCOPES, build_manifest
from storage.database import Database
from tests.handlers.support import Desk, event, slash

TOP = Path(__file__).parents[2]
SCHEMAS = TOP / "tests" / "fixtures" / "manifest"


def written() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((TOP / "manifest.yml").read_text())
    return loaded


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_slacks_own_schema_takes_it(version: str) -> None:
    schema = json.loads((SCHEMAS / f"manifest.schema.{version}.json").read_text())
    manifest = build_manifest()
    manifest["_metadata"]["major_version"] = int(version[0])
    assert [error.message for error in Draft7Validator(schema).iter_errors(manifest)] == []


def test_the_schema_would_notice_a_mistake() -> None:
    schema = json.loads((SCHEMAS / "manifest.schema.1.0.0.json").read_text())
    manifest = build_manifest()
    manifest["display_information"]["name"] = "x" * 36
    assert list(Draft7Validator(schema).iter_errors(manifest)) != []


def test_the_file_is_what_the_code_builds() -> None:
    assert written() == build_manifest()


def test_commands_go_by_the_names_of_the_settings_and_send_ids_for_names() -> None:
    commands = build_manifest("/paint", "/costs")["features"]["slash_commands"]
    assert [command["command"] for command in commands] == ["/paint", "/costs"]
    assert all(command["should_escape"] for command in commands)


def test_it_needs_no_address_and_no_more_than_the_bots_scopes() -> None:
    manifest = build_manifest()
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(manifest)
    assert manifest["settings"]["token_rotation_enabled"] is False
    assert manifest["oauth_config"]["scopes"] == {"bot": sorted(SCOPES)}
    assert manifest["features"]["app_home"]["messages_tab_enabled"] is True
    assert "agent_view" not in manifest["features"]


async def test_every_command_of_the_manifest_is_answered(desk: Desk) -> None:
    for command in build_manifest()["features"]["slash_commands"]:
        response = await desk.send(slash(command["command"], "help"))
        # At once, or privately right after the acknowledgement.
        said = (response.body or "") + "".join(call.text for call in desk.slack.named("respond"))
        assert (response.status, f"`{command['command']}" in said) == (200, True)


async def test_every_registered_command_is_in_the_manifest(database: Database) -> None:
    """Under other names too: both come from the settings."""
    desk = Desk.make(database, imagine="/paint", spend="/costs")
    commands = build_manifest(desk.services.config.imagine, desk.services.config.spend)["features"]
    for command in commands["slash_commands"]:
        assert (await desk.send(slash(command["command"], "help"))).status == 200
    for other in ("/imagine", "/spend"):
        assert "listens to `/paint` and `/costs`" in await desk.type("help", name=other)


@pytest.mark.parametrize("subscribed", EVENTS)
async def test_every_subscribed_event_is_acknowledged(desk: Desk, subscribed: str) -> None:
    """Also with a subtype that nobody has heard of."""
    kind = subscribed.partition(".")[0]
    for subtype in (None, "something_new"):
        payload = event("message_channel", type=kind, subtype=subtype)
        assert (await desk.send(payload)).status == 200


def test_only_subscribed_events_have_listeners_of_their_own() -> None:
    listened = set()
    for path in (TOP / "handlers").rglob("*.py"):
        listened |= set(re.findall(r'@app\.event\("([a-z_]+)"\)', path.read_text()))
    assert listened == {name.partition(".")[0] for name in EVENTS}


def methods_called() -> set[str]:
    """The Web API methods that our client calls, as the official client names them."""
    tree = ast.parse(Path(web_client.__file__).read_text())
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute)
        and isinstance(call.value, ast.Attribute)
        and call.value.attr in {"_once", "_again"}
    }


def test_every_method_we_call_has_its_scopes_and_no_other_is_listed() -> None:
    assert methods_called() == {method.replace(".", "_") for method in METHOD_SCOPES}


def test_every_scope_is_needed_and_every_need_is_met() -> None:
    needed = {"commands"}
    for scopes in [*METHOD_SCOPES.values(), *EVENT_SCOPES.values()]:
        needed |= set(scopes)
    assert needed == set(SCOPES)
    assert set(EVENT_SCOPES) == set(EVENTS)
