"""views.*: modals and the Home tab."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.slack import views
from sandbox.slack.methods_chat import required
from sandbox.slack.model import ApiError, Json, Trigger

if TYPE_CHECKING:
    from sandbox.slack.state import State


def _trigger(state: "State", params: Json) -> Trigger:
    """The trigger that is meant, if it may still be used. It is used up once the view is accepted."""
    trigger = state.triggers.get(str(params["trigger_id"]))
    if trigger is None:
        text = ["[ERROR] invalid `trigger_id`"]
        raise ApiError("invalid_trigger_id", response_metadata={"messages": text})
    if trigger.used:
        raise ApiError("exchanged_trigger_id")
    if state.now() > trigger.expires:
        raise ApiError("expired_trigger_id")
    return trigger


async def views_open(state: "State", params: Json) -> Json:
    """views.open: once per trigger id, within three seconds."""
    required(params, "trigger_id", "view")
    trigger = _trigger(state, params)
    view = views.checked(state, params["view"], kind="modal")
    made = views.keep(state, view, views.root(state, trigger.user, trigger.channel))
    trigger.used = True
    return {"view": views.shown(made)}


async def views_push(state: "State", params: Json) -> Json:
    """views.push: on top of the modal in which the trigger came to be; at most three lie on each other."""
    required(params, "trigger_id", "view")
    trigger = _trigger(state, params)
    below = state.views.get(str(trigger.view_id))
    if below is None:
        text = ["[ERROR] the `trigger_id` does not come from an open modal"]
        raise ApiError("invalid_trigger_id", response_metadata={"messages": text})
    view = views.checked(state, params["view"], kind="modal")
    made = views.keep(state, view, views.above(state, below))
    trigger.used = True
    return {"view": views.shown(made)}


async def views_update(state: "State", params: Json) -> Json:
    """views.update by view id or external id, with an optional hash against races."""
    required(params, "view")
    known = _named(state, params)
    if params.get("hash") and params["hash"] != known["hash"]:
        raise ApiError("hash_conflict")
    view = views.checked(state, params["view"], kind="modal")
    made = views.keep(state, view, views.place_of(known), before=known)
    return {"view": views.shown(made)}


def _named(state: "State", params: Json) -> Json:
    view_id, external = params.get("view_id"), params.get("external_id")
    if not view_id and not external:
        raise ApiError(
            "invalid_arguments",
            response_metadata={"messages": ["[ERROR] must provide one of view_id or external_id"]},
        )
    for view in state.views.values():
        if view["id"] == view_id or (external and view["external_id"] == external):
            return view
    raise ApiError("not_found")


async def views_publish(state: "State", params: Json) -> Json:
    """views.publish: the Home of one person, which keeps its id; with an optional hash against races."""
    required(params, "user_id", "view")
    user = str(params["user_id"])
    if user not in state.users:
        raise ApiError("user_not_found")
    known = state.homes.get(user)
    if known and params.get("hash") and params["hash"] != known["hash"]:
        raise ApiError("hash_conflict")
    view = views.checked(state, params["view"], kind="home")
    place = views.place_of(known) if known else views.root(state, user, None)
    made = views.keep(state, view, place, before=known)
    return {"view": views.shown(made)}


METHODS: Final[Mapping[str, Callable[["State", Any], Awaitable[Json]]]] = {
    "views.open": views_open,
    "views.push": views_push,
    "views.update": views_update,
    "views.publish": views_publish,
}
