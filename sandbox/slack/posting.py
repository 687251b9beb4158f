"""Messages come, change and go: the one place that touches them, pings people and tells the app."""

from typing import TYPE_CHECKING, Literal

from sandbox.slack import blocks as block_kit
from sandbox.slack import events, files, words
from sandbox.slack.limits import HISTORY, forget_oldest
from sandbox.slack.model import SLACKBOT, ApiError, Channel, Edited, Ephemeral, Json, Message, Notification

if TYPE_CHECKING:
    from sandbox.slack.state import State


def checked_blocks(
    state: "State", given: object, *, surface: str = "message", private: bool = False
) -> list[Json]:
    """Blocks as Slack would keep them. Raises ApiError("invalid_blocks") with Slack's messages."""
    refusals = block_kit.check_blocks(
        given,
        surface=surface,
        file_refused=lambda image: files.refusal_in_blocks(state, image),
        files_allowed=not private,
    )
    if refusals or not isinstance(given, list):
        raise ApiError("invalid_blocks", errors=refusals, response_metadata={"messages": refusals})
    return block_kit.as_returned(given, lambda: state.mint("b")[-5:], lambda image: _size(state, image))


def _size(state: "State", image: Json) -> Json:
    file = files.file_of(state, image)
    if file is None:
        return {}
    return {"image_width": file.width, "image_height": file.height, "image_bytes": file.held.size}


async def add(state: "State", message: Message) -> Message:
    """A new message: into the channel, its files shared there, people pinged, the app told."""
    channel = state.channels[message.channel]
    channel.messages[message.ts] = message
    if message.thread_ts and message.thread_ts in channel.messages:
        parent = channel.messages[message.thread_ts]
        parent.thread_ts = parent.ts
        channel.replies.setdefault(parent.ts, []).append(message)
    for image in block_kit.files_in(message.blocks):
        if file := files.file_of(state, image):
            share(file.shares, channel.id, message.ts)
    for file_id in message.files:
        share(state.files[file_id].shares, channel.id, message.ts)
    if message.user == state.bot_user_id:
        state.statuses.pop((channel.id, message.thread_ts or message.ts), None)
    _ping(state, channel, message)
    state.changed(
        {"kind": "message", "channel": channel.id, "ts": message.ts, "thread_ts": message.thread_ts}
    )
    await _announce(state, channel, message)
    return message


def share(shares: dict[str, list[str]], channel: str, ts: str) -> None:
    """Note that a file is visible in this message."""
    stamps = shares.setdefault(channel, [])
    if ts not in stamps:
        stamps.append(ts)


async def _announce(state: "State", channel: Channel, message: Message) -> None:
    if message.user == state.bot_user_id and not state.echo_bot_messages:
        return
    mentioned = state.bot_user_id in words.mentions(message.text) and message.user != state.bot_user_id
    for kind in state.mention_events if mentioned and channel.kind != "im" else ("message",):
        maker = events.message_event if kind == "message" else events.mention_event
        await tell(state, channel, maker(state, message))


async def tell(state: "State", channel: Channel, event: Json) -> None:
    """Send an event about a channel, as long as the app is in it, has asked for its kind, and may have it."""
    may = event["type"] != "message" or HISTORY[channel.kind] in state.scopes
    wanted = may and event["type"] in state.subscriptions
    if state.installed and state.bot_user_id in channel.members and wanted:
        await state.delivery.event(events.envelope(state, event, shared=channel.is_shared))


def _ping(state: "State", channel: Channel, message: Message) -> None:
    pinged = words.mentions(message.text)
    shouted = words.broadcasts(message.text)
    for kind, text in words.texts_of(message.blocks):
        if kind == "mrkdwn":
            pinged |= words.mentions(text)
            shouted |= words.broadcasts(text)
        elif kind in {"user", "broadcast"}:
            (pinged if kind == "user" else shouted).add(text)
    people = {user for user in channel.members if not state.users[user].is_bot}
    others = people - {message.user}
    found = [Notification(user, channel.id, message.ts, "mention") for user in sorted(pinged & people)]
    if channel.kind == "im":
        found = [Notification(user, channel.id, message.ts, "dm") for user in sorted(others)]
    elif shouted:
        how: Literal["here", "channel"] = "here" if shouted == {"here"} else "channel"
        found += [Notification(user, channel.id, message.ts, how) for user in sorted(others - pinged)]
    for notification in found:
        state.notifications.append(notification)
        state.changed(
            {"kind": "notification", "user": notification.user, "channel": channel.id, "ts": message.ts}
        )


async def change(state: "State", message: Message, *, text: str, blocks: list[Json], by: str) -> Message:
    """Replace what a message says. A file that was never shared before shows as broken afterwards."""
    previous = events.message_json(state, message)
    message.text, message.blocks = text, blocks
    message.edited = Edited(by, state.mint_ts())
    named = [files.file_of(state, image) for image in block_kit.files_in(blocks)]
    message.broken_files = [file.id for file in named if file is not None and not file.shares]
    state.changed({"kind": "changed", "channel": message.channel, "ts": message.ts})
    channel = state.channels[message.channel]
    if by != state.bot_user_id or state.echo_bot_messages:
        await tell(state, channel, events.changed_event(state, message, previous, state.mint_ts()))
    return message


async def remove(state: "State", message: Message, *, by: str) -> None:
    """Delete a message. A parent with replies stays as a tombstone."""
    channel = state.channels[message.channel]
    previous = events.message_json(state, message)
    if channel.replies.get(message.ts):
        message.text, message.blocks, message.files = "This message was deleted.", [], []
        message.subtype, message.user, message.bot_id = "tombstone", SLACKBOT, None
        message.metadata = None
    else:
        del channel.messages[message.ts]
        siblings = channel.replies.get(str(message.thread_ts), [])
        if message in siblings:
            siblings.remove(message)
    state.changed({"kind": "deleted", "channel": channel.id, "ts": message.ts})
    if by != state.bot_user_id or state.echo_bot_messages:
        await tell(state, channel, events.deleted_event(state, channel, previous, state.mint_ts()))


def whisper(state: "State", ephemeral: Ephemeral) -> Ephemeral:
    """Show something to one person only."""
    state.ephemerals.append(ephemeral)
    forget_oldest(state.ephemerals)
    state.changed(
        {"kind": "ephemeral", "channel": ephemeral.channel, "user": ephemeral.user, "ts": ephemeral.ts}
    )
    return ephemeral


def own_message(state: "State", channel: str, text: str, blocks: list[Json]) -> Message:
    """A message of the app's, not yet posted."""
    return Message(
        channel=channel,
        ts=state.mint_ts(),
        user=state.bot_user_id,
        text=text or words.summary(blocks),
        team=state.team_id,
        blocks=blocks,
        bot_id=state.bot_id,
    )
