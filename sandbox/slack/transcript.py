"""A workspace in readable lines, for the message of a failed test and for the terminal."""

from typing import TYPE_CHECKING

from sandbox.slack.model import Json, Message

if TYPE_CHECKING:
    from sandbox.slack.state import State


def transcript(state: "State", channel: str | None = None) -> str:
    """Every channel (or one) with its messages, threads indented, then what single people see."""
    rooms = list(state.channels.values()) if channel is None else [state.channel_named(channel)]
    lines: list[str] = []
    for room in rooms:
        private = [e for e in state.ephemerals if e.channel == room.id]
        if channel is None and not room.messages and not private:
            continue
        name = f"#{room.name}" if room.name else " and ".join(sorted(_name(state, m) for m in room.members))
        lines.append(f"== {name} ({room.id})")
        for message in room.messages.values():
            if not message.is_reply:
                lines += _thread(state, list(room.messages.values()), message)
        for only in private:
            lines.append(f"  (only {_name(state, only.user)} sees) {only.text!r}{_blocks(only.blocks)}")
    waiting = len(state.delivery.backlog)
    lines.append(f"-- {len(state.delivery.sockets)} sockets, {waiting} events waiting")
    lines += [f"-- refused: {c.method}: {c.error}" for c in list(state.calls)[-50:] if c.error]
    return "\n".join(lines)


def _thread(state: "State", messages: list[Message], parent: Message) -> list[str]:
    lines = [_line(state, parent, "  ")]
    lines += [_line(state, m, "      ") for m in messages if m.is_reply and m.thread_ts == parent.ts]
    if status := state.statuses.get((parent.channel, parent.ts)):
        lines.append(f"      … {status[0]}")
    return lines


def _line(state: "State", message: Message, indent: str) -> str:
    marks = "".join(f" :{name}:x{len(who)}" for name, who in message.reactions.items())
    files = f" files={message.files}" if message.files else ""
    edited = " (edited)" if message.edited else ""
    author = _name(state, message.user)
    return f"{indent}{message.ts} {author}: {message.text!r}{_blocks(message.blocks)}{files}{marks}{edited}"


def _blocks(blocks: list[Json]) -> str:
    shown: list[str] = []
    for block in blocks:
        kind = str(block.get("type"))
        if kind == "actions":
            kind += "(" + ", ".join(str(e.get("action_id")) for e in block.get("elements", [])) + ")"
        if kind != "rich_text":
            shown.append(kind)
    return f" [{' '.join(shown)}]" if shown else ""


def _name(state: "State", user: str) -> str:
    known = state.users.get(user)
    return known.name if known else user
