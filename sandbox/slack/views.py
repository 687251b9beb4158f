"""Views: what Slack accepts, what it adds, and which lies on top of which.

A view is kept as the JSON that the API returns, with its current `state.values`; keys that begin with "_"
(`_user`, `_channel`) are the sandbox's own.
"""

from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import limits, posting, values
from sandbox.slack.elements import PLAIN, text
from sandbox.slack.limits import forget_oldest
from sandbox.slack.model import ApiError, Json
from sandbox.slack.shapes import Check, Findings, anything, boolean, shape, string

if TYPE_CHECKING:
    from sandbox.slack.state import State

_COMMON: Final[dict[str, Check]] = {
    "private_metadata": string(limits.PRIVATE_METADATA_MAX),
    "callback_id": string(255),
    "external_id": string(255),
}
_LABEL: Final = text(limits.VIEW_LABEL_MAX, PLAIN)
_SHAPES: Final[dict[str, Check]] = {
    "modal": shape(
        {"title": _LABEL, "blocks": anything},
        {
            **_COMMON,
            **dict.fromkeys(("submit", "close"), _LABEL),
            **dict.fromkeys(("clear_on_close", "notify_on_close", "submit_disabled"), boolean),
        },
    ),
    "home": shape({"blocks": anything}, _COMMON),
}
_BLANK: Final[Json] = {
    **{"private_metadata": "", "callback_id": "", "external_id": "", "close": None, "submit": None},
    **{"clear_on_close": False, "notify_on_close": False},
}
PLACE: Final = ("id", "root_view_id", "previous_view_id", "_user", "_channel")


def shown(view: Json) -> Json:
    """A view as the API returns it and as payloads carry it."""
    return {key: value for key, value in view.items() if not key.startswith("_")}


def checked(state: "State", given: Any, *, kind: str) -> Json:
    """A view as Slack keeps it. Raises ApiError("invalid_arguments") with Slack's messages."""
    if not isinstance(given, dict) or given.get("type") != kind:
        raise _invalid(["[ERROR] invalid view"])
    given = {key: value for key, value in given.items() if value is not None}
    found = Findings(kind, lambda image: False)
    _SHAPES[kind](given, "/view", found)
    blocks = given.get("blocks")
    listed = blocks if isinstance(blocks, list) else []
    has_input = any(isinstance(b, dict) and b.get("type") == "input" for b in listed)
    if kind == "modal" and has_input and not given.get("submit"):
        found.add("missing required field: submit", "/view")
    if found.messages:
        raise _invalid(found.messages)
    try:
        kept = posting.checked_blocks(state, blocks, surface=kind)
    except ApiError as refusal:
        raise _invalid(refusal.extra["response_metadata"]["messages"]) from None
    return {**_BLANK, **given, "blocks": kept}


def _invalid(messages: list[str]) -> ApiError:
    return ApiError("invalid_arguments", response_metadata={"messages": messages})


def keep(state: "State", view: Json, place: Json, *, before: Json | None = None) -> Json:
    """Give a checked view its place, a new hash and its values, and remember it; `before` is the view it
    takes the place of. Raises ApiError("duplicate_external_id")."""
    external = view["external_id"]
    taken = [
        v for v in [*state.views.values(), *state.homes.values()] if external and v["external_id"] == external
    ]
    if any(other["id"] != place["id"] for other in taken):
        raise ApiError("duplicate_external_id")
    held = before["state"]["values"] if before else {}
    made = {
        **view,
        **place,
        "team_id": state.team_id,
        "app_id": state.app_id,
        "app_installed_team_id": state.team_id,
        "bot_id": state.bot_id,
        "state": {"values": values.carried_over(view["blocks"], held, place.get("_channel"))},
        "hash": f"{int(state.now())}.{state.mint('h')}",
    }
    if view["type"] == "home":
        state.homes[place["_user"]] = made
        state.changed({"kind": "home", "user": place["_user"]})
    else:
        state.views[made["id"]] = made
        forget_oldest(state.views)
        state.changed({"kind": "view", "id": made["id"], "user": place["_user"]})
    return made


def root(state: "State", user: str, channel: str | None) -> Json:
    """The place of a new modal of this person."""
    view_id = state.mint("V")
    rest = {"root_view_id": view_id, "previous_view_id": None, "_user": user, "_channel": channel}
    return {"id": view_id, **rest}


def above(state: "State", view: Json) -> Json:
    """The place on top of a modal. Raises ApiError("push_limit_reached") at three."""
    stack = [v for v in state.views.values() if v["root_view_id"] == view["root_view_id"]]
    if len(stack) >= limits.VIEWS_STACKED:
        raise ApiError("push_limit_reached")
    return {**{key: view.get(key) for key in PLACE}, "id": state.mint("V"), "previous_view_id": view["id"]}


def place_of(view: Json) -> Json:
    """Where a view is, for the one that takes its place."""
    return {key: view.get(key) for key in PLACE}


def on_top(state: "State", view: Json) -> bool:
    """Whether nothing lies on this modal."""
    return all(other["previous_view_id"] != view["id"] for other in state.views.values())


def close(state: "State", view: Json, *, whole_stack: bool = False) -> list[Json]:
    """Take a modal (or all of its stack) away; which ones went, the topmost first."""
    stack = [v for v in state.views.values() if v["root_view_id"] == view["root_view_id"]]
    gone = list(reversed(stack)) if whole_stack else [view]
    for each in gone:
        state.views.pop(each["id"], None)
        state.changed({"kind": "view", "id": each["id"], "user": each["_user"], "closed": True})
    return gone
