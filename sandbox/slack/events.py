"""What Slack sends an app: events, slash commands, clicks, shortcuts. Shapes after the official samples."""

from typing import TYPE_CHECKING

from sandbox.slack import files
from sandbox.slack.model import OTHER_APP, SLACKBOT, Channel, Ephemeral, Json, Message, User

if TYPE_CHECKING:
    from sandbox.slack.state import State

CHANNEL_TYPES = {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}
VERIFICATION = "sandbox-verification"
_ECHOED = frozenset({"type", "text", "value", "style", "confirm", "icon", "placeholder", "action_id"})


def message_json(state: "State", message: Message, *, metadata: bool = False, in_event: bool = False) -> Json:
    """A message as `conversations.replies` returns it and as events carry it (without channel fields)."""
    made: Json = {"user": message.user, "type": "message", "ts": message.ts, "text": message.text}
    if message.subtype:
        made["subtype"] = message.subtype
    if message.client_msg_id:
        made["client_msg_id"] = message.client_msg_id
    made["team"] = message.team
    if message.bot_id:
        profile = bot_profile(state, message.bot_id)
        made |= {"bot_id": message.bot_id, "app_id": profile["app_id"], "bot_profile": profile}
    if message.blocks:
        made["blocks"] = message.blocks
    if message.files:
        made["files"] = [files.file_json(state, state.files[f], in_event=in_event) for f in message.files]
        made |= {"upload": False, "display_as_bot": False}
    if message.edited:
        made["edited"] = {"user": message.edited.user, "ts": message.edited.ts}
    if message.thread_ts:
        made["thread_ts"] = message.thread_ts
        made |= _thread_facts(state, message)
    if message.reactions:
        made["reactions"] = [
            {"name": name, "users": list(who), "count": len(who)} for name, who in message.reactions.items()
        ]
    if metadata and message.metadata:
        made["metadata"] = message.metadata
    return made


def _thread_facts(state: "State", message: Message) -> Json:
    thread = state.thread(message.channel, str(message.thread_ts))
    if message.is_reply:
        parent = next((m for m in thread if m.ts == message.thread_ts), None)
        return {"parent_user_id": parent.user} if parent else {}
    replies = [m for m in thread if m.is_reply]
    who = list(dict.fromkeys(m.user for m in replies))
    return {
        "reply_count": len(replies),
        "reply_users_count": len(who),
        "latest_reply": replies[-1].ts if replies else message.ts,
        "reply_users": who,
        "is_locked": False,
        "subscribed": message.user == state.bot_user_id,
    }


def bot_profile(state: "State", bot_id: str) -> Json:
    """An app as messages describe it: this one, or the other one of the workspace."""
    own = bot_id == state.bot_id
    return {
        "id": bot_id,
        "app_id": state.app_id if own else "A0OTHERAPP",
        "user_id": state.bot_user_id if own else OTHER_APP,
        "name": state.app_name if own else "Otherbot",
        "icons": {f"image_{n}": f"{state.base_url}/icons/{n}.png" for n in (36, 48, 72)},
        "deleted": False,
        "updated": 1_790_000_000,
        "team_id": state.team_id,
    }


def envelope(state: "State", event: Json, *, shared: bool = False, context: str = "") -> Json:
    """The `event_callback` around an event, with an event id of its own."""
    return {
        "token": VERIFICATION,
        "team_id": state.team_id,
        "context_team_id": state.team_id,
        "context_enterprise_id": None,
        "api_app_id": state.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": state.mint("Ev"),
        "event_time": int(state.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.team_id,
                "user_id": state.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": context or f"4-{state.mint('ctx')}",
    }


def _author(state: "State", channel: Channel, message: Message) -> Json:
    """Whose team: in shared channels `user_team` is the author's, and file posts there lack it altogether."""
    if not channel.is_shared:
        return {"team": message.team}
    if message.files:
        return {}
    return {"team": state.team_id, "user_team": message.team, "source_team": message.team}


def message_event(state: "State", message: Message) -> Json:
    """A new message (`message` with subtype none, `file_share` or `thread_broadcast`)."""
    channel = state.channels[message.channel]
    made = message_json(state, message, in_event=True)
    made.pop("reactions", None)
    made.pop("team")
    if message.subtype == "thread_broadcast" and message.thread_ts in channel.messages:
        made["root"] = message_json(state, channel.messages[str(message.thread_ts)])
    return made | _author(state, channel, message) | _place(channel, message.ts)


def _place(channel: Channel, event_ts: str) -> Json:
    return {"channel": channel.id, "event_ts": event_ts, "channel_type": CHANNEL_TYPES[channel.kind]}


def mention_event(state: "State", message: Message) -> Json:
    """The same message as `app_mention`: no channel type, and usually without its files."""
    made = message_event(state, message)
    made["type"] = "app_mention"
    for key in ("subtype", "channel_type", "root", "upload", "display_as_bot", "parent_user_id"):
        made.pop(key, None)
    if not state.mention_files:
        made.pop("files", None)
    return made


def changed_event(state: "State", message: Message, previous: Json, ts: str) -> Json:
    """`message_changed`: the message as it is now and as it was."""
    made = {
        "type": "message",
        "subtype": "message_changed",
        "message": message_json(state, message, in_event=True) | {"source_team": message.team},
        "previous_message": previous,
        "hidden": True,
        "ts": ts,
    }
    return made | _place(state.channels[message.channel], ts)


def deleted_event(state: "State", channel: Channel, previous: Json, ts: str) -> Json:
    """`message_deleted`: what is gone."""
    made = {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": previous,
        "deleted_ts": previous["ts"],
        "hidden": True,
        "ts": ts,
    }
    return made | _place(channel, ts)


def reaction_event(state: "State", name: str, user: str, message: Message, *, added: bool) -> Json:
    """`reaction_added` or `reaction_removed`, for apps that subscribed to it."""
    return {
        "type": "reaction_added" if added else "reaction_removed",
        "user": user,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "reaction": name,
        "item_user": message.user,
        "event_ts": state.mint_ts(),
    }


def command(
    state: "State", user: User, channel: Channel, name: str, text: str, urls: tuple[str, str]
) -> Json:
    """A slash command; `urls` are its response_url and trigger id."""
    names = {"im": "directmessage", "mpim": "mpdm", "group": "privategroup"}
    return {
        "token": VERIFICATION,
        "team_id": state.team_id,
        "team_domain": state.team_domain,
        "channel_id": channel.id,
        "channel_name": names.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": state.app_id,
        "is_enterprise_install": "false",
        "response_url": urls[0],
        "trigger_id": urls[1],
    }


def who(user: User) -> Json:
    """The person of an interaction. `team_id` is the person's own team, also in shared channels."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def interaction(state: "State", kind: str, user: User, trigger_id: str) -> Json:
    """What every interaction payload begins with."""
    return {
        "type": kind,
        "user": who(user),
        "api_app_id": state.app_id,
        "token": VERIFICATION,
        "trigger_id": trigger_id,
        "team": {"id": state.team_id, "domain": state.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_ref(channel: Channel) -> Json:
    """A channel as interaction payloads name it."""
    names = {"im": "directmessage", "mpim": "mpdm", "group": "privategroup"}
    return {"id": channel.id, "name": names.get(channel.kind, channel.name)}


def action(element: Json, block_id: str, ts: str) -> Json:
    """One entry of `actions`: the element that was used, without what only draws it."""
    kept = {k: v for k, v in element.items() if k in _ECHOED}
    return kept | {"block_id": block_id, "action_ts": ts}


def message_container(source: Message | Ephemeral) -> Json:
    """Where the click happened."""
    private = isinstance(source, Ephemeral)
    made: Json = {
        "type": "message",
        "message_ts": source.ts,
        "channel_id": source.channel,
        "is_ephemeral": private,
    }
    return made | ({"thread_ts": source.thread_ts} if source.thread_ts else {})


def slackbot_says(channel: str, user: str, ts: str, text: str) -> Ephemeral:
    """A line of Slack's own, for one person."""
    return Ephemeral(channel, ts, user, text, author=SLACKBOT)
