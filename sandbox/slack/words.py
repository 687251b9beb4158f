"""Slack's text: escaping, mentions, what a client makes of what a person types."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.slack.model import Json

MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_CONTROL = re.compile(
    r"<(?:@([UW][A-Z0-9]+)|!(channel|here|everyone)|#([CG][A-Z0-9]+)|(https?:[^|>]+))(?:\|([^>]*))?>"
)
_BROADCAST = re.compile(r"<!(channel|here|everyone)(?:\|[^>]*)?>")
EMOJI_MAX = 100
_AT = re.compile(r"(?<![\w<])@([a-z0-9][\w.-]*)", re.IGNORECASE)
_HASH = re.compile(r"(?<![\w<])#([a-z0-9][\w-]*)", re.IGNORECASE)


def escape(text: str) -> str:
    """The three characters Slack escapes in everything a person types."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def names_emoji(name: str) -> bool:
    """Whether an emoji may be called that: "+1", "wave::skin-tone-3", "flag-nl"; at most 100 characters."""
    parts = name.replace("::", "")
    spelt = all(letter.isalnum() or letter in "_+-'" for letter in parts)
    return bool(parts) and spelt and len(name) <= EMOJI_MAX and name == name.lower()


def unescape(text: str) -> str:
    """The opposite of `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def from_keyboard(text: str, users: dict[str, str], channels: dict[str, str], *, labels: bool) -> str:
    """What the client sends for typed text: escaped, with names turned into ids.

    `users` and `channels` map lower-case names to ids. With `labels` the result is the form of slash commands
    with `should_escape` (`<@U…|bob>`), without it that of messages (`<@U…>`). References that are already
    written as ids are kept.
    """
    kept = [(match.start(), match.end()) for match in _CONTROL.finditer(text)]
    parts: list[str] = []
    position = 0
    for start, end in [*kept, (len(text), len(text))]:
        parts.append(_names_to_ids(escape(text[position:start]), users, channels, labels=labels))
        parts.append(text[start:end])
        position = end
    return "".join(parts)


def _names_to_ids(text: str, users: dict[str, str], channels: dict[str, str], *, labels: bool) -> str:
    def person(match: re.Match[str]) -> str:
        name = match[1].rstrip(".")
        rest = match[1][len(name) :]
        if name.lower() in {"channel", "here", "everyone"} and not labels:
            return f"<!{name.lower()}>{rest}"
        found = users.get(name.lower())
        if found is None:
            return match[0]
        return (f"<@{found}|{name.lower()}>" if labels else f"<@{found}>") + rest

    def room(match: re.Match[str]) -> str:
        found = channels.get(match[1].lower())
        return match[0] if found is None else f"<#{found}|{match[1].lower() if labels else ''}>"

    return _HASH.sub(room, _AT.sub(person, text))


def rich_text(text: str, block_id: str) -> Json:
    """The `rich_text` block Slack adds to a message that a person typed."""
    elements: list[Json] = []
    position = 0
    for match in _CONTROL.finditer(text):
        if match.start() > position:
            elements.append({"type": "text", "text": unescape(text[position : match.start()])})
        user, broadcast, channel, url, label = match.groups()
        if user:
            elements.append({"type": "user", "user_id": user})
        elif broadcast:
            elements.append({"type": "broadcast", "range": broadcast})
        elif channel:
            elements.append({"type": "channel", "channel_id": channel})
        else:
            elements.append(
                {"type": "link", "url": unescape(url)} | ({"text": unescape(label)} if label else {})
            )
        position = match.end()
    if position < len(text):
        elements.append({"type": "text", "text": unescape(text[position:])})
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": block_id, "elements": [section]}


def mentions(text: str) -> set[str]:
    """User ids that a mrkdwn text pings by name; escaped text pings nobody."""
    return {match[1] for match in MENTION.finditer(text)}


def broadcasts(text: str) -> set[str]:
    """`channel`, `here` or `everyone`, as far as the text shouts them."""
    return {match[1] for match in _BROADCAST.finditer(text)}


def texts_of(blocks: Iterable[Json]) -> Iterator[tuple[str, str]]:
    """Every (kind, text) in blocks, where kind is "mrkdwn", "plain_text", "user" or "broadcast"."""
    for block in blocks:
        yield from _texts(block)


def _texts(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)
        return
    if not isinstance(node, dict):
        return
    kind, text = node.get("type"), node.get("text")
    if kind == "user" and isinstance(node.get("user_id"), str):
        yield "user", node["user_id"]
    elif kind == "broadcast" and isinstance(node.get("range"), str):
        yield "broadcast", node["range"]
    elif isinstance(text, str):
        yield "mrkdwn" if kind in {"mrkdwn", "markdown"} else "plain_text", text
    for value in node.values():
        yield from _texts(value)


def summary(blocks: Iterable[Json]) -> str:
    """The text Slack derives for notifications when a message came with blocks only."""
    return " ".join(text for kind, text in texts_of(blocks) if kind in {"mrkdwn", "plain_text"})
