"""What people do outside a message: shortcuts, modals, the Home tab, and removing the app."""

from typing import TYPE_CHECKING

from sandbox.slack import events, posting, response_urls
from sandbox.slack.model import OTHER_APP, OTHER_BOT_ID, Json, Message, Refused, Seen
from sandbox.slack.people import inside, interact

if TYPE_CHECKING:
    from sandbox.slack.state import State


async def use_shortcut(
    state: "State", user: str, callback_id: str, *, channel: str | None = None, message_ts: str | None = None
) -> Seen:
    """A message shortcut (with a channel and a message), or a global one, which carries no channel."""
    person = state.user_named(user)
    if channel is None or message_ts is None:
        home = state.dm(state.bot_user_id, person.id)
        _, trigger_id = response_urls.issue(state, person, home, "app")
        payload = events.interaction(state, "shortcut", person, trigger_id)
        return await interact(state, payload | {"callback_id": callback_id, "action_ts": state.mint_ts()})
    _, room = inside(state, user, channel)
    message = room.messages[message_ts]
    url, trigger_id = response_urls.issue(state, person, room, "app")
    payload = events.interaction(state, "message_action", person, trigger_id) | {
        "callback_id": callback_id,
        "action_ts": state.mint_ts(),
        "channel": events.channel_ref(room),
        "message_ts": message.ts,
        "message": events.message_json(state, message),
        "response_url": url,
    }
    return await interact(state, payload)


async def submit_view(state: "State", user: str, view_id: str, values: Json) -> Seen:
    """Send a modal off. `values` are {block_id: {action_id: {"type": …, "value": …}}}; errors come back in
    `payload` (`response_action`), and then the modal stays open."""
    person = state.user_named(user)
    stored = state.views.get(view_id)
    if stored is None or stored["_user"] != person.id:
        raise Refused(f"{person.name} has no modal {view_id} open")
    _, trigger_id = response_urls.issue(state, person, state.dm(state.bot_user_id, person.id), "app")
    view = {k: v for k, v in stored.items() if k != "_user"} | {"state": {"values": values}}
    payload = events.interaction(state, "view_submission", person, trigger_id)
    seen = await interact(state, payload | {"view": view, "response_urls": []}, accepts_response=True)
    stays = seen.error or seen.payload.get("response_action") in {"errors", "update", "push"}
    if not stays:
        state.views.pop(view_id, None)
        state.changed({"kind": "view", "id": view_id, "user": person.id, "closed": True})
    return seen


async def open_home(state: "State", user: str) -> None:
    """Open the app's Home tab: the app hears `app_home_opened`."""
    person = state.user_named(user)
    room = state.dm(state.bot_user_id, person.id)
    event: Json = {
        "type": "app_home_opened",
        "user": person.id,
        "channel": room.id,
        "tab": "home",
        "event_ts": state.mint_ts(),
    }
    if person.id in state.homes:
        event["view"] = state.homes[person.id]
    await posting.tell(state, room, event)


async def uninstall(state: "State") -> None:
    """An admin removes the app: `tokens_revoked` and `app_uninstalled`, then nothing works any more."""
    revoked: Json = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [state.bot_user_id]}}
    for event in (revoked, {"type": "app_uninstalled"}):
        if event["type"] in state.subscriptions:
            await state.delivery.event(events.envelope(state, event | {"event_ts": state.mint_ts()}))
    state.installed = False
    state.changed({"kind": "uninstalled"})


async def post_as_other_app(state: "State", channel: str, text: str, thread_ts: str | None) -> Message:
    """A message of the other app in the workspace; no person wrote it."""
    _, room = inside(state, OTHER_APP, channel)
    message = Message(
        channel=room.id,
        ts=state.mint_ts(),
        user=OTHER_APP,
        text=text,
        team=state.team_id,
        thread_ts=thread_ts,
        bot_id=OTHER_BOT_ID,
    )
    return await posting.add(state, message)
