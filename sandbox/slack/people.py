"""What people do in Slack: type, post, edit, delete, press, upload. Each does what the client would."""

from typing import TYPE_CHECKING, Any

from sandbox.slack import events, files, posting, response_urls, words
from sandbox.slack.limits import REACTIONS_PER_PERSON, TEXT_MAX
from sandbox.slack.methods_chat import content
from sandbox.slack.model import (
    ApiError,
    Channel,
    Ephemeral,
    File,
    Json,
    Message,
    Refused,
    Seen,
    User,
)

if TYPE_CHECKING:
    from sandbox.slack.state import State


def _names(state: "State") -> tuple[dict[str, str], dict[str, str]]:
    users = {u.name.lower(): u.id for u in state.users.values()}
    users[state.app_name.lower()] = state.bot_user_id
    channels = {c.name.lower(): c.id for c in state.channels.values() if c.name}
    return users, channels


def inside(state: "State", user: str, channel: str) -> tuple[User, Channel]:
    """The person and the channel, which they must be in."""
    person, room = state.user_named(user), state.channel_named(channel)
    if person.id not in room.members:
        raise Refused(f"{person.name} is not in {room.name or room.id}")
    if room.archived:
        raise Refused(f"{room.name} is archived")
    return person, room


async def invite(state: "State", user: str, channel: str, whom: str) -> None:
    """Add somebody, or the app, to a channel; an app that subscribed to it hears `member_joined_channel`."""
    person, room = inside(state, user, channel)
    joined = state.user_named(whom)
    if room.kind == "im":
        raise Refused("nobody can be added to a direct message")
    if joined.id in room.members:
        return
    room.members.add(joined.id)
    state.changed({"kind": "member", "channel": room.id, "user": joined.id})
    event: Json = {
        "type": "member_joined_channel",
        "user": joined.id,
        "channel": room.id,
        "channel_type": "C" if room.kind == "channel" else "G",
        "team": joined.team_id,
        "inviter": person.id,
        "event_ts": state.mint_ts(),
    }
    await posting.tell(state, room, event)


async def _invited(state: "State", person: User, room: Channel, rest: str) -> Seen:
    """Slack's own `/invite @somebody`."""
    users, _ = _names(state)
    whom = users.get(rest.strip().removeprefix("@").lower())
    if whom is None:
        return _slackbot(state, person, room, "user_not_found", f"There is nobody called {rest.strip()}.")
    await invite(state, person.id, room.id, whom)
    return Seen()


async def type_command(
    state: "State", user: str, channel: str, text: str, *, thread_ts: str | None = None
) -> Seen:
    """A slash command: goes to the app, and waits for its acknowledgement (3 s)."""
    person, room = inside(state, user, channel)
    name, _, rest = _fitting(text).strip().partition(" ")
    if thread_ts is not None:
        return _slackbot(state, person, room, "not_in_thread", f"{name} is not supported in threads. Sorry!")
    if person.team_id != state.team_id or not state.installed:
        return _slackbot(state, person, room, "invalid_command", f"{name} is not a valid command.")
    if name in {"/invite", "/add"}:
        return await _invited(state, person, room, rest)
    if state.commands is not None and name not in state.commands:
        return _slackbot(state, person, room, "invalid_command", f"{name} is not a valid command.")
    users, channels = _names(state)
    escaped = words.from_keyboard(rest.strip(), users, channels, labels=True)
    urls = response_urls.issue(state, person, room, "commands")
    payload = events.command(state, person, room, name, escaped, urls)
    parcel, error = await state.delivery.interaction("slash_commands", payload, accepts_response=True)
    envelope_id = next(iter(parcel.envelopes), None)
    if error:
        said = f'{name} failed with the error "{error}"'
        return _slackbot(state, person, room, error, said, payload=payload, envelope_id=envelope_id)
    shown = await _answer_of(state, parcel.answer, urls[0])
    return Seen(
        text=shown.text if shown else "",
        ephemeral=shown if isinstance(shown, Ephemeral) else None,
        message=shown if isinstance(shown, Message) else None,
        payload=payload,
        envelope_id=envelope_id,
    )


async def _answer_of(state: "State", answer: Json | None, url: str) -> Message | Ephemeral | None:
    """What came with the acknowledgement of a command, shown like an answer to its response_url."""
    if not answer:
        return None
    known = state.response_urls[url.rsplit("/", 1)[-1]]
    public = answer.get("response_type") == "in_channel"
    try:
        text, blocks = content(state, answer, maximum=TEXT_MAX, private=not public)
    except ApiError as refusal:
        said = f'failed with the error "{refusal.code}"'
        return posting.whisper(state, events.slackbot_says(known.channel, known.user, state.mint_ts(), said))
    return await response_urls.show(state, known, text or words.summary(blocks), blocks, public=public)


def _slackbot(state: "State", person: User, room: Channel, error: str, said: str, **more: Any) -> Seen:
    shown = posting.whisper(state, events.slackbot_says(room.id, person.id, state.mint_ts(), said))
    return Seen(error=error, text=said, ephemeral=shown, **more)


async def post(
    state: "State",
    user: str,
    channel: str,
    text: str,
    *,
    thread_ts: str | None = None,
    attached: tuple[str, ...] = (),
    broadcast: bool = False,
) -> Message:
    """A message, a reply, a file share; the text as typed (`@bob`, `@Darkroom` and `#design` become ids)."""
    person, room = inside(state, user, channel)
    if thread_ts is not None:
        parent = room.messages.get(thread_ts)
        if parent is None:
            raise Refused(f"there is no message {thread_ts} in {room.name or room.id}")
        thread_ts = parent.thread_ts or parent.ts
    users, channels = _names(state)
    written = words.from_keyboard(_fitting(text), users, channels, labels=False)
    if not written and not attached:
        raise Refused("an empty message cannot be sent")
    _attachable(state, person, attached)
    message = Message(
        channel=room.id,
        ts=state.mint_ts(),
        user=person.id,
        text=written,
        team=person.team_id,
        blocks=[words.rich_text(written, state.mint("b")[-5:])] if written else [],
        thread_ts=thread_ts,
        client_msg_id=state.mint_uuid(),
        files=list(attached),
        broadcast=broadcast and thread_ts is not None,
    )
    if message.broadcast:
        message.subtype = "thread_broadcast"
    if attached:
        message.subtype = "file_share"
    for file_id in attached:
        file = state.files[file_id]
        file.shown_as_stub = room.is_shared and state.users[file.user].team_id != state.team_id
    return await posting.add(state, message)


def _fitting(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise Refused(f"this has {len(text):,} characters; a message has at most {TEXT_MAX:,}")
    return text


def _attachable(state: "State", person: User, attached: tuple[str, ...]) -> None:
    """Refuse what the client cannot attach: a file twice, somebody else's, a deleted one."""
    if len(set(attached)) < len(attached):
        raise Refused("a message takes each file once")
    for file in [state.files[file_id] for file_id in attached]:
        if file.user != person.id or file.deleted:
            raise Refused(f"{person.name} has no file {file.id} to attach")


async def edit_message(state: "State", user: str, channel: str, ts: str, text: str) -> Message:
    """Change one's own message: the app hears `message_changed`, nobody is pinged."""
    person, room = inside(state, user, channel)
    message = _own(person, room, ts)
    users, channels = _names(state)
    written = words.from_keyboard(_fitting(text), users, channels, labels=False)
    blocks = [words.rich_text(written, state.mint("b")[-5:])]
    return await posting.change(state, message, text=written, blocks=blocks, by=person.id)


async def delete_message(state: "State", user: str, channel: str, ts: str) -> None:
    """Take back one's own message: the app hears `message_deleted`."""
    person, room = inside(state, user, channel)
    await posting.remove(state, _own(person, room, ts), by=person.id)


def _own(person: User, room: Channel, ts: str) -> Message:
    message = room.messages.get(ts)
    if message is None or message.user != person.id:
        raise Refused(f"{person.name} has no message {ts} in {room.name or room.id}")
    return message


def upload(state: "State", user: str, name: str, data: bytes, claimed: str | None = None) -> File:
    """A person's file, ready to be attached to a message; theirs need no waiting. `claimed` is the media type
    that Slack says it has, whatever it is."""
    person = state.user_named(user)
    file = files.begin(state, name=name, length=len(data), user=person.id)
    files.receive(state, files.upload_url(state, file), data)
    files.close(state, file)
    files.finish(state, file)
    file.mimetype = claimed or file.mimetype
    return file


async def interact(
    state: "State", payload: Json, *, accepts_response: bool = False, asked: Json | None = None
) -> Seen:
    """Send a click or a shortcut and wait for its acknowledgement (3 s)."""
    parcel, error = await state.delivery.interaction(
        "interactive", payload, accepts_response=accepts_response
    )
    return Seen(
        error=error,
        text="This app is not responding" if error else "",
        payload=parcel.answer or {} if accepts_response else payload,
        envelope_id=next(iter(parcel.envelopes), None),
        asked=asked,
    )


async def react(state: "State", user: str, channel: str, ts: str, name: str) -> None:
    """A person's emoji on a message."""
    person, room = inside(state, user, channel)
    message = room.messages[ts]
    if not words.names_emoji(name):
        raise Refused(f"no emoji is called {name[:50]!r}")
    who = message.reactions.get(name, [])
    if person.id not in who:
        if sum(person.id in each for each in message.reactions.values()) >= REACTIONS_PER_PERSON:
            raise Refused(f"nobody puts more than {REACTIONS_PER_PERSON} emoji on a message")
        who = message.reactions.setdefault(name, [])
        who.append(person.id)
        state.changed({"kind": "reaction", "channel": room.id, "ts": ts, "name": name, "added": True})
        await posting.tell(state, room, events.reaction_event(state, name, person.id, message, added=True))
