"""Pressing: buttons, menus, feedback buttons, in messages and in views; the dialog that asks first."""

from typing import TYPE_CHECKING, Any

from sandbox.slack import events, response_urls, values, views
from sandbox.slack.model import Channel, Ephemeral, Json, Message, Refused, Seen, User
from sandbox.slack.people import inside, interact
from sandbox.slack.suggested import as_offered

if TYPE_CHECKING:
    from sandbox.slack.state import State


def visible(state: "State", person: User, room: Channel, ts: str) -> Message | Ephemeral:
    """A message that this person sees there. Raises Refused when they see none."""
    if (message := room.messages.get(ts)) is not None:
        return message
    for only in state.ephemerals:
        if only.ts == ts and only.user == person.id and only.channel == room.id:
            return only
    raise Refused(f"{person.name} sees no message {ts} in {room.name or room.id}")


def element_of(blocks: list[Json], action_id: str, block_id: str | None, where: str) -> tuple[Json, Json]:
    """The block and the element that is meant. Raises Refused when there is no such thing to press."""
    for block, element in values.elements(blocks):
        if element["action_id"] == action_id and block_id in (None, block["block_id"]):
            return block, element
    raise Refused(f"{where} has no {action_id!r} to press")


async def press(
    state: "State",
    user: str,
    channel: str,
    message_ts: str,
    action_id: str,
    *,
    block_id: str | None = None,
    value: Any = None,
    confirmed: bool = True,
) -> Seen:
    """Press a button of a message, or choose `value` in a menu; waits for the acknowledgement (3 s).

    An element with a `confirm` object asks first: `Seen.asked` is what it asked, and unless `confirmed`
    nothing is sent.
    """
    person, room = inside(state, user, channel)
    source = visible(state, person, room, message_ts)
    block, element = element_of(source.blocks, action_id, block_id, f"message {source.ts}")
    element = as_offered(state, (person.id, source.ts, block["block_id"], action_id), element)
    done = used(state, element, block["block_id"], value)
    if (asked := element.get("confirm")) and not confirmed:
        return Seen(asked=asked)
    url, trigger_id = response_urls.issue(state, person, room, "actions", source)
    held = values.put_in(state, element, value) if values.holds(element) else None
    payload = events.interaction(state, "block_actions", person, trigger_id) | {
        "container": events.message_container(source),
        "channel": events.channel_ref(room),
        "response_url": url,
        "state": {"values": {block["block_id"]: {action_id: held}} if held else {}},
        "actions": [done],
    }
    if isinstance(source, Message):
        payload["message"] = events.message_json(state, source)
    return await interact(state, payload, asked=asked)


def used(state: "State", element: Json, block_id: str, value: Any) -> Json:
    """One entry of `actions`: the element, and what was chosen in it. Raises Refused for what it lacks."""
    made = events.action(element, block_id, state.mint_ts())
    if values.holds(element):
        return made | values.put_in(state, element, value)
    if element["type"] == "overflow":
        return made | {"selected_option": _option(element, value)}
    if element["type"] == "feedback_buttons":
        return made | _thumb(element, value)
    return made


def _option(element: Json, value: Any) -> Json:
    for option in element["options"]:
        if option["value"] == value:
            return dict(option)
    raise Refused(f"{element['action_id']!r} has no option {value!r}")


def _thumb(element: Json, value: Any) -> Json:
    """Text and value of the feedback button that was pressed ("positive", "negative", or its own value)."""
    for word in ("positive", "negative"):
        button = element[f"{word}_button"]
        if value in (word, button["value"]):
            return {"text": button["text"], "value": button["value"]}
    raise Refused(f"{element['action_id']!r} has no button {value!r}")


def view_of(state: "State", user: str, view_id: str) -> tuple[User, Json]:
    """A person and the view they look at: their topmost modal, or their Home. Raises Refused otherwise."""
    person = state.user_named(user)
    home = state.homes.get(person.id)
    if home is not None and home["id"] == view_id:
        return person, home
    view = state.views.get(view_id)
    if view is None or view["_user"] != person.id:
        raise Refused(f"{person.name} has no modal {view_id} open")
    if not views.on_top(state, view):
        raise Refused(f"another modal lies on {view_id}")
    return person, view


async def press_in_view(
    state: "State",
    user: str,
    view_id: str,
    action_id: str,
    *,
    block_id: str | None = None,
    value: Any = None,
    confirmed: bool = True,
) -> Seen:
    """The same in a modal or the Home tab. Choosing in something that keeps its value keeps it."""
    person, view = view_of(state, user, view_id)
    block, element = element_of(view["blocks"], action_id, block_id, f"view {view_id}")
    element = usable(state, view, block, element)
    done = used(state, element, block["block_id"], value)
    if (asked := element.get("confirm")) and not confirmed:
        return Seen(asked=asked)
    if values.holds(element):
        hold(state, view, block["block_id"], action_id, values.put_in(state, element, value))
    modal = view_id if view["type"] == "modal" else None
    trigger_id = response_urls.trigger(state, person, channel=view["_channel"], view_id=modal)
    payload = events.interaction(state, "block_actions", person, trigger_id) | {
        "container": {"type": "view", "view_id": view_id},
        "view": views.shown(view),
        "actions": [done],
    }
    return await interact(state, payload, asked=asked)


def usable(state: "State", view: Json, block: Json, element: Json) -> Json:
    """An element of a view as the view's person can use it (`suggested.as_offered`)."""
    place = block["block_id"], element["action_id"]
    held = view["state"]["values"].get(place[0], {}).get(place[1])
    return as_offered(state, (view["_user"], view["id"], *place), element, held)


def hold(state: "State", view: Json, block_id: str, action_id: str, held: Json) -> None:
    """Put a holding into a view; files in it become readable for the app. Raises Refused for files of
    somebody else's."""
    given = [state.files[file["id"]] for file in held.get("files", [])]
    if others := [file.id for file in given if file.user != view["_user"]]:
        raise Refused(f"{state.users[view['_user']].name} has no file {others[0]} to put in")
    view["state"]["values"][block_id][action_id] = held
    for file in given:
        file.handed_over = True
