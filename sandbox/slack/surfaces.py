"""What people do outside a message: shortcuts, modals, the Home tab, and removing the app."""

from typing import TYPE_CHECKING

from sandbox.slack import events, posting, response_urls, views
from sandbox.slack.model import OTHER_APP, OTHER_BOT_ID, Json, Message, Refused, Seen
from sandbox.slack.people import inside, interact

if TYPE_CHECKING:
    from sandbox.slack.state import State


async def use_shortcut(
    state: "State", user: str, callback_id: str, *, channel: str | None = None, message_ts: str | None = None
) -> Seen:
    """A message shortcut (with a channel and a message), or a global one, whose payload carries no channel
    (`channel` is then only where the person is). It works also where the app is not a member."""
    person = state.user_named(user)
    kind = "global" if message_ts is None else "message"
    if state.shortcuts and not any((s.callback_id, s.kind) == (callback_id, kind) for s in state.shortcuts):
        raise Refused(f"there is no {kind} shortcut {callback_id!r}")
    if person.team_id != state.team_id or not state.installed:
        raise Refused(f"{person.name} has no shortcuts of {state.app_name}")
    if channel is None or message_ts is None:
        room = None if channel is None else inside(state, user, channel)[1]
        trigger_id = response_urls.trigger(state, person, channel=room.id if room else None)
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
        "message": events.message_json(state, message, in_event=True),
        "response_url": url,
    }
    return await interact(state, payload)


async def open_home(state: "State", user: str, tab: str = "home") -> None:
    """Open the app's Home tab, or its messages tab: the app hears `app_home_opened`."""
    person = state.user_named(user)
    room = state.dm(state.bot_user_id, person.id)
    event: Json = {
        "type": "app_home_opened",
        "user": person.id,
        "channel": room.id,
        "tab": tab,
        "event_ts": state.mint_ts(),
    }
    if tab == "home" and person.id in state.homes:
        event["view"] = views.shown(state.homes[person.id])
    await posting.tell(state, room, event)


async def uninstall(state: "State") -> None:
    """An admin removes the app: `tokens_revoked` and `app_uninstalled`, then nothing works any more."""
    await _tell_app(state, _revoked(oauth=[], bot=[state.bot_user_id]))
    await _tell_app(state, {"type": "app_uninstalled"})
    state.installed = False
    state.changed({"kind": "uninstalled"})


async def revoke(state: "State", users: tuple[str, ...]) -> None:
    """The tokens of these people are revoked, which is not the app's; of nobody in particular the app's own
    is, and Slack takes it no more."""
    people = [state.user_named(user).id for user in users]
    await _tell_app(state, _revoked(oauth=people, bot=[] if people else [state.bot_user_id]))
    state.token_revoked = state.token_revoked or not people
    state.changed({"kind": "revoked"})


def _revoked(*, oauth: list[str], bot: list[str]) -> Json:
    return {"type": "tokens_revoked", "tokens": {"oauth": oauth, "bot": bot}}


async def _tell_app(state: "State", event: Json) -> None:
    if event["type"] in state.subscriptions:
        await state.delivery.event(events.envelope(state, event | {"event_ts": state.mint_ts()}))


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
