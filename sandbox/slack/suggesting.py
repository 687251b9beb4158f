"""Asking the app what can be chosen in a menu, while somebody types in it: `block_suggestion`."""

from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import events, views
from sandbox.slack.elements import SUGGESTED
from sandbox.slack.model import Json, Message, Refused, Seen
from sandbox.slack.people import inside, interact
from sandbox.slack.presses import element_of, view_of, visible
from sandbox.slack.shapes import Findings
from sandbox.slack.suggested import is_external, remember
from sandbox.slack.values import options_of

if TYPE_CHECKING:
    from sandbox.slack.state import State

LEAST: Final = 3
"""Characters before the app is asked, where the menu does not say (`min_query_length`)."""
_TROUBLE: Final = "The app's choices cannot be read: "


async def suggest(
    state: "State",
    user: str,
    action_id: str,
    typed: str,
    *,
    channel: str | None = None,
    message_ts: str | None = None,
    view_id: str | None = None,
    block_id: str | None = None,
) -> Seen:
    """Type in such a menu of a message, or of a view: the app is asked, and has three seconds.

    `Seen.payload` is `{"options": […]}` or `{"option_groups": […]}`, in full even where the app gave nothing;
    `Seen.error` is "invalid_response" when Slack could not show what it gave. Raises Refused for what is no
    such menu, and for fewer characters than the menu waits for.
    """
    if view_id is not None:
        person, view = view_of(state, user, view_id)
        block, element = element_of(view["blocks"], action_id, block_id, f"view {view_id}")
        source = view_id
        place: Json = {"container": {"type": "view", "view_id": view_id}, "view": views.shown(view)}
    else:
        person, room = inside(state, user, str(channel))
        message = visible(state, person, room, str(message_ts))
        block, element = element_of(message.blocks, action_id, block_id, f"message {message.ts}")
        source = message.ts
        place = {"container": events.message_container(message), "channel": events.channel_ref(room)}
        if isinstance(message, Message):
            place["message"] = events.message_json(state, message)
    if not is_external(element):
        raise Refused(f"{action_id!r} does not ask the app for its choices")
    least = element.get("min_query_length", LEAST)
    if len(typed) < least:
        raise Refused(f"{action_id!r} asks the app from {least} characters on")
    asked = events.interaction(state, "block_suggestion", person, "") | place
    del asked["trigger_id"]
    asked |= {"action_id": action_id, "block_id": block["block_id"], "value": typed}
    seen = await interact(state, asked, accepts_response=True)
    if seen.error is not None:
        return seen
    return _taken(state, (person.id, source, block["block_id"], action_id), seen)


def _taken(state: "State", menu: tuple[str, str, str, str], seen: Seen) -> Seen:
    """The app's answer as the person sees it, and remembered."""
    given: dict[str, Any] = seen.payload
    kind = "option_groups" if "option_groups" in given else "options"
    answer: Json = {kind: given.get(kind, [])}
    found = Findings("menu", lambda image: False)
    SUGGESTED(answer, "", found)
    if found.messages:
        return Seen("invalid_response", _TROUBLE + "; ".join(found.messages), envelope_id=seen.envelope_id)
    remember(state, menu, options_of(answer))
    return Seen(payload=answer, envelope_id=seen.envelope_id)
