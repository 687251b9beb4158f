"""The manifest: Slack would take it, it is what the code says, and it asks for what is used and no more."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from slack_bolt import BoltResponse
from slack_bolt.listener.async_listener import AsyncCustomListener, AsyncListener
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers.blocks import dialogs, more_money
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
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
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


def shortcuts() -> dict[str, str]:
    """The shortcuts of the manifest: ``callback_id`` and type."""
    return {one["callback_id"]: one["type"] for one in build_manifest()["features"]["shortcuts"]}


def constants(*endings: str) -> set[str]:
    """The words by which we are told what was pressed, from the constants of ``handlers/blocks``."""
    found: set[str] = set()
    for path in (TOP / "handlers" / "blocks").glob("*.py"):
        if path.stem == "__init__":
            continue
        module = importlib.import_module(f"handlers.blocks.{path.stem}")
        names = [name for name in vars(module) if name.endswith(endings)]
        found |= {value for name in names if isinstance(value := getattr(module, name), str)}
    return found


ACTIONS = constants("_ACTION") - {dialogs.CHOICE_ACTION} | set(more_money.ANSWERS)
"""What sends something as soon as it is pressed or chosen."""
QUIET = constants("_INPUT") | {dialogs.CHOICE_ACTION}
"""What is only read when its dialog is sent off."""
VIEWS = constants("_VIEW", "CALLBACK")


def listeners(desk: Desk) -> list[AsyncListener]:
    return list(desk.app._async_listeners)


async def heard_by(desk: Desk, payload: dict[str, Any]) -> AsyncListener | None:
    """Who would be handed *payload*; None if only what catches the rest would."""
    request = AsyncBoltRequest(mode="socket_mode", body=payload)
    for listener in listeners(desk):
        if await listener.async_matches(req=request, resp=BoltResponse(status=200)):
            return None if catches_the_rest(listener) else listener
    return None


def catches_the_rest(listener: AsyncListener) -> bool:
    assert isinstance(listener, AsyncCustomListener)
    return listener.ack_function.__qualname__.startswith("register_all.")


def pressed(action_id: str) -> dict[str, Any]:
    """``block_actions`` of whatever kind of element."""
    return {"type": "block_actions", "actions": [{"action_id": action_id, "block_id": "b", "type": "button"}]}


def everything() -> dict[str, dict[str, Any]]:
    """One payload for each thing that Slack may send us, by what it is."""
    made = {f"action {one}": pressed(one) for one in ACTIONS}
    sent = {"type": "view_submission"}
    made |= {f"view {one}": {**sent, "view": {"type": "modal", "callback_id": one}} for one in VIEWS}
    types = {"global": "shortcut", "message": "message_action"}
    made |= {
        f"shortcut {one}": {
            "type": types[kind],
            "callback_id": one,
            "trigger_id": "1.1.a",
            "action_ts": "1.1",
        }
        for one, kind in shortcuts().items()
    }
    made |= {
        f"command {one['command']}": slash(one["command"], "help")
        for one in build_manifest()["features"]["slash_commands"]
    }
    kinds = {name.partition(".")[0] for name in EVENTS}
    return made | {f"event {one}": event("message_channel", type=one) for one in kinds}


@pytest.mark.parametrize("name", sorted(everything()))
async def test_whatever_slack_may_send_has_a_listener_of_its_own(desk: Desk, name: str) -> None:
    """Every action, dialog, shortcut, command and event; what only the catch-all hears does nothing."""
    assert await heard_by(desk, everything()[name]) is not None


async def test_every_listener_hears_something_that_slack_may_send(desk: Desk) -> None:
    """A listener for what no block, dialog or manifest names is dead."""
    hearing = [await heard_by(desk, payload) for payload in everything().values()]
    own = [listener for listener in listeners(desk) if not catches_the_rest(listener)]
    dead = [listener for listener in own if not any(listener is one for one in hearing)]
    assert [listener.ack_function.__qualname__ for listener in dead] == []


@pytest.mark.parametrize("action_id", sorted(QUIET))
async def test_what_is_read_only_when_sent_off_has_no_listener(desk: Desk, action_id: str) -> None:
    assert await heard_by(desk, pressed(action_id)) is None


async def test_an_action_that_nobody_listens_to_would_be_noticed(desk: Desk) -> None:
    assert await heard_by(desk, pressed("no_such_action")) is None


def named_in_code(key: str) -> Iterator[tuple[str, ast.expr, set[str]]]:
    """Each value that our code gives to *key* in a dictionary: the file, the value, and the parameters of the
    function around it."""
    for path in sorted((TOP / "handlers").rglob("*.py")):
        tree = ast.parse(path.read_text())
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        for node in ast.walk(tree):
            for name, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
                if isinstance(name, ast.Constant) and name.value == key:
                    inside = [f for f in functions if any(child is node for child in ast.walk(f))]
                    given = {a.arg for f in inside for a in (*f.args.args, *f.args.kwonlyargs)}
                    yield path.name, value, given


@pytest.mark.parametrize(
    ("key", "endings"),
    [("action_id", ("_ACTION", "_INPUT")), ("callback_id", ("_VIEW", "CALLBACK", "_SHORTCUT"))],
)
def test_blocks_name_what_was_pressed_by_constants_only(key: str, endings: tuple[str, ...]) -> None:
    """So that the lists above are complete: no word that tells what was pressed stands anywhere else."""
    for file, value, given in named_in_code(key):
        assert isinstance(value, ast.Name), (file, ast.dump(value))
        assert value.id in given or value.id.endswith(endings), (file, value.id)


def test_our_words_for_what_was_pressed_are_all_different() -> None:
    """Each constant its own; the inputs of a dialog are looked up by their block beside it."""
    words = [
        value
        for path in (TOP / "handlers" / "blocks").glob("*.py")
        for name, value in vars(importlib.import_module(f"handlers.blocks.{path.stem}")).items()
        if path.stem != "__init__"
        and name.endswith(("_ACTION", "_VIEW", "CALLBACK"))
        and name in assigned_in(path)
    ]
    assert len(set(words)) == len(words)


def assigned_in(path: Path) -> set[str]:
    """The names that a module gives a value itself."""
    assigned = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Assign)]
    return {name.id for one in assigned for name in ast.walk(one) if isinstance(name, ast.Name)}


def methods_called() -> set[str]:
    """The Web API methods that our client calls, as the official client names them."""
    trees = [ast.parse(path.read_text()) for path in (TOP / "handlers").glob("web_*.py")]
    # Some are called at once, others are handed on with what they are to be called with.
    return {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in {"_once", "_again", "_now"}
    }


def test_every_method_we_call_has_its_scopes_and_no_other_is_listed() -> None:
    assert methods_called() == {method.replace(".", "_") for method in METHOD_SCOPES}


def test_every_scope_is_needed_and_every_need_is_met() -> None:
    needed = {"commands"}
    for scopes in [*METHOD_SCOPES.values(), *EVENT_SCOPES.values()]:
        needed |= set(scopes)
    assert needed == set(SCOPES)
    assert set(EVENT_SCOPES) == set(EVENTS)
