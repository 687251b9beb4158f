"""response_url: five answers in thirty minutes to one command or one click."""

from typing import TYPE_CHECKING

from sandbox.slack import posting, words
from sandbox.slack.limits import RESPONSE_URL_S, RESPONSE_URL_USES, TEXT_MAX, TRIGGER_S, forget_oldest
from sandbox.slack.methods_chat import content, flag
from sandbox.slack.model import (
    ApiError,
    Channel,
    Ephemeral,
    HttpAnswer,
    Json,
    Message,
    ResponseUrl,
    Trigger,
    User,
)

if TYPE_CHECKING:
    from sandbox.slack.state import State


def issue(
    state: "State", user: User, channel: Channel, path: str, source: Message | Ephemeral | None = None
) -> tuple[str, str]:
    """A new response_url and trigger id for an interaction of `user`, begun at `source` if it was a click."""
    key = state.mint("R")
    state.response_urls[key] = ResponseUrl(
        key=key,
        channel=channel.id,
        user=user.id,
        expires=state.now() + RESPONSE_URL_S,
        uses=RESPONSE_URL_USES,
        message_ts=source.ts if source else None,
        thread_ts=source.thread_ts if source else None,
        ephemeral_source=isinstance(source, Ephemeral),
    )
    forget_oldest(state.response_urls)
    return f"{state.base_url}/{path}/{state.team_id}/{key}", trigger(state, user, channel=channel.id)


def trigger(state: "State", user: User, *, channel: str | None = None, view_id: str | None = None) -> str:
    """A new trigger id of an interaction of `user`, in a channel or in a modal."""
    made = Trigger(
        f"{state.mint()}.{state.mint()}",
        user.id,
        state.now() + TRIGGER_S,
        channel=channel,
        view_id=view_id,
    )
    state.triggers[made.id] = made
    forget_oldest(state.triggers)
    return made.id


async def respond(state: "State", url: str, body: Json) -> HttpAnswer:
    """What a POST to a response_url does: show, replace or delete a message. 404 once used up or too late."""
    known = state.response_urls.get(url.rstrip("/").rsplit("/", 1)[-1])
    if known is None:
        return _refusal(404, "no_such_url")
    if known.uses <= 0:
        return _refusal(404, "used_url")
    if state.now() > known.expires:
        return _refusal(404, "expired_url")
    try:
        await _show(state, known, body)
    except ApiError as refusal:
        return _refusal(400, refusal.code)
    known.uses -= 1
    return HttpAnswer(200, b"ok")


def _refusal(status: int, error: str) -> HttpAnswer:
    return HttpAnswer(status, f'{{"ok":false,"error":"{error}"}}'.encode(), "application/json; charset=utf-8")


async def _show(state: "State", known: ResponseUrl, body: Json) -> None:
    if flag(body.get("delete_original")):
        await _delete(state, known)
        return
    public = body.get("response_type") == "in_channel"
    replace = flag(body.get("replace_original"))
    private = known.ephemeral_source if replace else not public
    text, blocks = content(state, body, maximum=TEXT_MAX, private=private)
    text = text or words.summary(blocks)
    if replace and known.message_ts is not None:
        await _replace(state, known, text, blocks)
    else:
        await show(state, known, text, blocks, public=public)


async def show(
    state: "State", known: ResponseUrl, text: str, blocks: list[Json], *, public: bool
) -> Message | Ephemeral:
    """A new message in answer to an interaction: for everybody with `public`, else for its person only."""
    if public:
        message = posting.own_message(state, known.channel, text, blocks)
        message.thread_ts = known.thread_ts
        return await posting.add(state, message)
    shown = Ephemeral(
        known.channel, state.mint_ts(), known.user, text, blocks, known.thread_ts, author=state.bot_user_id
    )
    return posting.whisper(state, shown)


async def _replace(state: "State", known: ResponseUrl, text: str, blocks: list[Json]) -> None:
    """An ephemeral message stays ephemeral, whatever `response_type` says."""
    for only in state.ephemerals:
        if only.ts == known.message_ts and only.user == known.user:
            only.text, only.blocks = text, blocks
            state.changed({"kind": "ephemeral", "channel": only.channel, "user": only.user, "ts": only.ts})
            return
    message = state.channels[known.channel].messages.get(str(known.message_ts))
    if message is None:
        raise ApiError("message_not_found")
    await posting.change(state, message, text=text, blocks=blocks, by=state.bot_user_id)


async def _delete(state: "State", known: ResponseUrl) -> None:
    for only in list(state.ephemerals):
        if only.ts == known.message_ts and only.user == known.user:
            state.ephemerals.remove(only)
            state.changed({"kind": "ephemeral", "channel": only.channel, "user": only.user, "ts": only.ts})
            return
    message = state.channels[known.channel].messages.get(str(known.message_ts))
    if message is None:
        raise ApiError("message_not_found")
    await posting.remove(state, message, by=state.bot_user_id)
