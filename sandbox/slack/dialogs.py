"""What people do in modals: fill them in, send them off, close them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.slack import events, response_urls, values, views
from sandbox.slack.model import ApiError, Json, Refused, Seen, User
from sandbox.slack.people import interact
from sandbox.slack.presses import hold, press_in_view, usable, view_of

if TYPE_CHECKING:
    from sandbox.slack.state import State

TROUBLE = "We had some trouble connecting. Try again?"


def _given(view: Json, given: Mapping[str, Any]) -> Iterator[tuple[Json, Json, Any]]:
    """Each (block, element, value) that is meant: `{block_id: {action_id: value}}`, or `{name: value}` with
    the block's or the element's id. Raises Refused for names that the view lacks."""
    known = [(block, element) for block, element in values.elements(view["blocks"]) if values.holds(element)]
    for name, value in given.items():
        found = [(b, e) for b, e in known if name in (b["block_id"], e["action_id"])]
        if not found:
            raise Refused(f"view {view['id']} has no {name!r} to fill in")
        inner = isinstance(value, Mapping) and "type" not in value
        for block, element in found:
            if not inner:
                yield block, element, value
            elif element["action_id"] in value:
                yield block, element, value[element["action_id"]]


async def fill(state: "State", user: str, view_id: str, given: Mapping[str, Any]) -> Seen:
    """Type and choose in a view, one after the other. What has a `dispatch_action`, or stands in a section or
    actions block, tells the app when it changes, and is waited for; the last such answer is returned."""
    seen = Seen()
    _, view = view_of(state, user, view_id)
    for block, element, value in list(_given(view, given)):
        _, view = view_of(state, user, view_id)
        place = block["block_id"], element["action_id"]
        held = values.put_in(state, usable(state, view, block, element), value)
        if view["state"]["values"].get(place[0], {}).get(place[1]) in (None, held):
            if place[0] not in view["state"]["values"]:
                raise Refused(f"view {view_id} has no {place[1]!r} to fill in")
            continue
        if block["type"] == "input" and not block.get("dispatch_action"):
            hold(state, view, *place, held)
        else:
            seen = await press_in_view(state, user, view_id, place[1], block_id=place[0], value=value)
    return seen


def put_in_silently(state: "State", user: str, view_id: str, given: Mapping[str, Any]) -> None:
    """Put values in without telling the app, as `fill` takes them."""
    _, view = view_of(state, user, view_id)
    for block, element, value in list(_given(view, given)):
        held = values.put_in(state, usable(state, view, block, element), value)
        hold(state, view, block["block_id"], element["action_id"], held)


async def submit(state: "State", user: str, view_id: str, given: Mapping[str, Any]) -> Seen:
    """Put `given` in (as `fill` takes it, but silently) and send the modal off.

    Raises Refused for what the client itself does not send: an empty required input, a text too long. What
    the app answered is in `Seen.payload` (`response_action`); an answer that Slack cannot use is the error
    "invalid_response", and the modal stays.
    """
    person, view = view_of(state, user, view_id)
    if view["type"] != "modal" or not view["submit"]:
        raise Refused(f"view {view_id} has nothing to submit")
    put_in_silently(state, user, view_id, given)
    _check(view)
    trigger_id = response_urls.trigger(state, person, channel=view["_channel"], view_id=view_id)
    payload = events.interaction(state, "view_submission", person, trigger_id) | {
        "view": views.shown(view),
        "response_urls": _response_urls(state, person, view),
    }
    seen = await interact(state, payload, accepts_response=True)
    if seen.error is None and view_id in state.views:
        try:
            _obey(state, state.views[view_id], seen.payload)
        except ApiError as refusal:
            said = "; ".join(refusal.extra.get("response_metadata", {}).get("messages", [refusal.code]))
            return Seen(
                "invalid_response", f"{TROUBLE} {said}", payload=seen.payload, envelope_id=seen.envelope_id
            )
    return seen


def _check(view: Json) -> None:
    for block, element in values.elements(view["blocks"]):
        if block["type"] == "input" and values.holds(element):
            held = view["state"]["values"][block["block_id"]][element["action_id"]]
            if why := values.refusal(block, element, held):
                raise Refused(f"{block['label']['text']}: {why}")


def _response_urls(state: "State", person: User, view: Json) -> list[Json]:
    """A response_url for each picked conversation of an input with `response_url_enabled`."""
    made: list[Json] = []
    for block, element in values.elements(view["blocks"]):
        held = view["state"]["values"].get(block["block_id"], {}).get(element["action_id"], {})
        room = held.get("selected_conversation") or held.get("selected_channel")
        if element.get("response_url_enabled") and room:
            url, _ = response_urls.issue(state, person, state.channels[room], "app")
            place = {"block_id": block["block_id"], "action_id": element["action_id"]}
            made.append(place | {"channel_id": room, "response_url": url})
    return made


def _obey(state: "State", view: Json, answer: Json) -> None:
    """Do what the app's answer to a submission says. Raises ApiError for an answer that makes no sense."""
    action = answer.get("response_action")
    if action is None and not answer:
        views.close(state, view)
    elif action == "clear":
        views.close(state, view, whole_stack=True)
    elif action == "errors":
        inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        given = answer.get("errors")
        if not isinstance(given, dict) or not given or not set(given) <= inputs:
            raise ApiError("invalid_errors")
    elif action in {"update", "push"}:
        new = views.checked(state, answer.get("view"), kind="modal")
        place = views.place_of(view) if action == "update" else views.above(state, view)
        views.keep(state, new, place, before=view if action == "update" else None)
    else:
        raise ApiError("invalid_response_action")


async def close(state: "State", user: str, view_id: str, *, whole_stack: bool = False) -> list[Seen]:
    """Close a modal without submitting it: what lay below shows again, or with `whole_stack` (or the view's
    `clear_on_close`) all of them go. The app hears `view_closed` of those that asked for it."""
    person, view = view_of(state, user, view_id)
    if view["type"] != "modal":
        raise Refused("a Home tab cannot be closed")
    cleared = whole_stack or view["clear_on_close"]
    heard: list[Seen] = []
    for gone in views.close(state, view, whole_stack=cleared):
        if gone["notify_on_close"]:
            payload = events.interaction(state, "view_closed", person, "")
            del payload["trigger_id"]
            payload |= {"view": views.shown(gone), "is_cleared": cleared, "response_urls": []}
            heard.append(await interact(state, payload))
    return heard
