"""What a person is told of their own requests, and the sentences that several surfaces share: what happened,
and what to do next. Answers to admins are in ``words_admin``, what stands in a view is in ``blocks``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from darkroom.spending.money import format_usd
from darkroom.turns.model import Ending, Reason
from handlers.blocks.scopes import Details
from handlers.blocks.text import TEXT_MAX, counted, escape, mention, truncate, when

ADMINS_NAMED_MAX = 3
API_WORDS_MAX = 600


@dataclass(frozen=True, slots=True)
class Voice:
    """What sentences need to know of the workspace: names of commands, admins and the caps' time zone."""

    imagine: str
    spend: str
    bot_user_id: str
    admins: tuple[str, ...]
    timezone: str

    @property
    def us(self) -> str:
        """Darkroom's own name as a mention."""
        return mention(self.bot_user_id)

    @property
    def an_admin(self) -> str:
        """Whom to ask; names the admins of the settings."""
        named = [mention(user_id) for user_id in self.admins[:ADMINS_NAMED_MAX]]
        return " or ".join(named) if named else "an admin or owner of this workspace"


@dataclass(frozen=True, slots=True)
class Hearer:
    """Who reads a sentence, and where: admins named in the settings also read why."""

    channel_id: str
    admin: bool = False


def say(ending: Ending, voice: Voice, hearer: Hearer) -> str:
    """The sentences for an ending, as ``mrkdwn`` with everything foreign escaped, at most 4,000 long."""
    told = _Told(ending.details, voice, hearer)
    text = _SENTENCES[ending.reason](told)
    if ending.reason in _AFTER_A_CALL:
        text += f" {_charge(told)}"
    message = str(ending.details.get("message", ""))
    if hearer.admin and message:
        text += f"\nFor you as an admin, the API's words: {escape(truncate(message, API_WORDS_MAX))}"
    return text


@dataclass(frozen=True, slots=True)
class _Told(Details):
    voice: Voice
    hearer: Hearer

    def time(self, key: str) -> str:
        timezone = str(self.details.get("timezone") or self.voice.timezone)
        return when(datetime.fromisoformat(str(self.details[key])), timezone)


_WHOSE = {"person": "you have", "channel": "this channel has", "workspace": "the workspace has"}


def _no_money(told: _Told) -> str:
    cap, charged, held = (told.number(f"{name}_nano_usd") for name in ("cap", "charged", "held"))
    left = told.number("left_nano_usd") if "left_nano_usd" in told.details else max(0, cap - charged - held)
    whose = _WHOSE.get(str(told.details.get("budget")), "there is")
    cheaper = " A smaller size or `--quality low` may cost little enough." if left else ""
    meanwhile = f" ({format_usd(held)} more is held for pictures being made)" if held else ""
    return (
        f"Nothing was made and nothing was charged: this picture could cost up to "
        f"{told.usd('needed_nano_usd')}, and {whose} {format_usd(left)} left of {format_usd(cap)} "
        f"{told.period()}{meanwhile}. It renews on {told.time('renews_at')}. To have it raised, ask "
        f"{told.voice.an_admin}.{cheaper}"
    )


def _not_allowed(told: _Told) -> str:
    dimension, value = told.text("dimension"), told.text("value")
    allowed = told.text("allowed", limit=API_WORDS_MAX)
    what = f"the model {value}" if dimension == "model" else f"the quality “{value}”"
    instead = f" Allowed here: {allowed} (`--{dimension}`)." if allowed else ""
    return (
        f"Nothing was made and nothing was charged: an admin does not allow {what} here.{instead} "
        f"To have it allowed, ask {told.voice.an_admin}."
    )


def _not_in_channel(told: _Told) -> str:
    voice = told.voice
    if told.hearer.channel_id.startswith("D"):
        return (
            f"I cannot post in a direct message between others, so nothing was made. Send the same "
            f"`{voice.imagine}` in our own direct message: open it through {voice.us}."
        )
    return (
        f"I am not in this channel, so nothing was made. Type `/invite` {voice.us} here, "
        f"then send your `{voice.imagine}` again."
    )


_CANNOT_POST = {
    "is_archived": "this channel is archived. Ask in another channel, or in our direct message.",
    "restricted_action": "this channel does not let me post. Ask who runs it, or use another channel.",
    "restricted_action_read_only_channel": "this channel is read-only. Ask in another channel.",
    "restricted_action_thread_locked": "this thread is locked. Ask outside it.",
    "restricted_action_non_threadable_channel": "this channel has no threads. Ask in another channel.",
}


def why_not_posted(slack_error: str, voice: Voice) -> str:
    """The clause behind "because" for Slack's name of an error, with what to do."""
    if slack_error in _CANNOT_POST:
        return _CANNOT_POST[slack_error]
    if slack_error in {"not_in_channel", "channel_not_found"}:
        return f"I am not in this channel any more. Type `/invite` {voice.us} here."
    error = escape(truncate(slack_error, 80))
    return f"Slack answered “{error}”. Try again in a few minutes; if it stays so, tell {voice.an_admin}."


def _cannot_post(told: _Told) -> str:
    error = str(told.details.get("slack_error", ""))
    return f"Nothing was made, because {why_not_posted(error, told.voice)}"


def _moderation(told: _Told) -> str:
    if told.details.get("stage") == "output":
        what = "OpenAI's moderation stopped the finished picture, so there is none"
    else:
        what = "OpenAI's moderation did not accept this request, so no picture was made"
    said = told.text("categories", limit=API_WORDS_MAX)
    categories = [name for name in said.split(", ") if name not in {"", "other"}]
    named = f" (it names: {', '.join(categories)})" if categories else ""
    return f"{what}{named}. Describe it in other words and send it again."


_AFTER_A_CALL = frozenset(
    {
        Reason.MODERATION,
        Reason.QUOTA,
        Reason.KEY,
        Reason.NO_ACCESS,
        Reason.RATE,
        Reason.UNREACHABLE,
        Reason.API_REFUSED,
        Reason.API_FAILED,
        Reason.NO_PICTURE,
        Reason.BAD_PICTURE,
        Reason.NOTHING_TO_SAY,
    }
)
"""What follows a call that made no picture: its sentence ends with what the call cost."""


def _charge(told: _Told) -> str:
    charged = told.number("charged_nano_usd")
    if charged == 0:
        return "Nothing was charged."
    return f"{format_usd(charged)} was charged for what the model did until then."


def _uncertain(told: _Told) -> str:
    return (
        f"The connection to OpenAI broke while your picture was being made, and nobody can say whether it "
        f"was. {told.usd('held_nano_usd')} is charged until it is known. Nothing is sent again unasked: if "
        f"you still want it, ask again. About the charge, ask {told.voice.an_admin}."
    )


_SENTENCES: Mapping[Reason, Callable[[_Told], str]] = {
    Reason.PICTURES: lambda told: "Your picture is in the thread. Reply there to change it.",
    Reason.WORDS: lambda told: escape(truncate(str(told.details.get("words", "")), TEXT_MAX)),
    Reason.NOTHING_TO_SAY: lambda told: (
        "The model answered with nothing, so there is no picture. Say what should be in it and send it again."
    ),
    Reason.NO_MONEY: _no_money,
    Reason.PAUSED: lambda told: (
        "Darkroom is paused by an admin, so nothing was made and nothing was charged. Ask again later, or "
        f"ask {told.voice.an_admin} until when."
    ),
    Reason.BLOCKED: lambda told: (
        "An admin has blocked you from making pictures, so nothing was made and nothing was charged. "
        f"Ask {told.voice.an_admin} about it."
    ),
    Reason.NOT_IN_PILOT: lambda told: (
        "Darkroom is being tried out by a few people and channels first, so nothing was made and nothing was "
        f"charged. To take part, ask {told.voice.an_admin}."
    ),
    Reason.NOT_ALLOWED: _not_allowed,
    Reason.NOTHING_TO_EDIT: lambda told: (
        "This thread has no picture yet that could be changed, so nothing was made. Describe a whole "
        f"picture: mention {told.voice.us} with it, or use `{told.voice.imagine}` in the channel."
    ),
    Reason.NOT_IN_CHANNEL: _not_in_channel,
    Reason.CANNOT_POST: _cannot_post,
    Reason.GUEST: lambda told: (
        "Guests cannot make pictures in this workspace. A full member can ask for you, or "
        f"{told.voice.an_admin} can allow guests in Darkroom's settings."
    ),
    Reason.OUTSIDER: lambda told: (
        "Only people of the workspace that runs Darkroom can make pictures with it. "
        "Ask somebody of that workspace in this channel to make it."
    ),
    Reason.QUEUE_FULL: lambda told: (
        f"Too much is waiting already ({counted(told.number('waiting'), 'request', 'requests')}), so yours "
        "was not taken in and nothing was charged. Try again in a few minutes."
    ),
    Reason.MODEL_UNUSABLE: lambda told: (
        f"Nothing was made: {told.text('why', limit=API_WORDS_MAX)}\nUse another model with `--model`, or "
        f"tell {told.voice.an_admin}."
    ),
    Reason.MODERATION: _moderation,
    Reason.QUOTA: lambda told: (
        "The OpenAI account has no money left or has reached its limit, so nothing was made. "
        f"Tell {told.voice.an_admin} to check OpenAI's billing page, then ask again."
    ),
    Reason.KEY: lambda told: (
        "OpenAI does not accept Darkroom's key, so nothing was made. Tell "
        f"{told.voice.an_admin} to check the key, then ask again."
    ),
    Reason.NO_ACCESS: lambda told: (
        "The OpenAI account may use none of the models that Darkroom is set to, so nothing was made. "
        f"Tell {told.voice.an_admin}; `--model` may name one that works."
    ),
    Reason.RATE: lambda told: (
        "OpenAI is taking no more pictures from us at the moment, also after waiting. "
        "Try again in a few minutes."
    ),
    Reason.UNREACHABLE: lambda told: (
        "OpenAI cannot be reached at the moment, so nothing was made. Try again in "
        f"a few minutes; if it stays so, tell {told.voice.an_admin}."
    ),
    Reason.API_REFUSED: lambda told: (
        "OpenAI refused this request: there is no picture. Try other words, or "
        f"another `--size` or `--model`; if it stays so, tell {told.voice.an_admin}."
    ),
    Reason.API_FAILED: lambda told: (
        "OpenAI failed while making this picture, so there is none. Try again in a few minutes."
    ),
    Reason.NO_PICTURE: lambda told: (
        "OpenAI answered without a picture. Say plainly what should be in the picture and send it again."
    ),
    Reason.BAD_PICTURE: lambda told: (
        "What OpenAI sent cannot be read as a picture, so there is nothing to show. Try again; if it stays "
        f"so, tell {told.voice.an_admin}."
    ),
    Reason.UNCERTAIN: _uncertain,
    Reason.TAKEN_BACK: lambda told: (
        "You deleted your message, so nothing was made and nothing was charged. Send it again if you want it."
    ),
    Reason.TOO_OLD: lambda told: (
        "Darkroom was not running for over an hour, so your request was given up and nothing was charged. "
        "Try again."
    ),
    Reason.BROKEN: lambda told: (
        f"Darkroom itself failed on this request. Try again; if it stays so, tell {told.voice.an_admin}: "
        "the log has the details."
    ),
}


def usage(voice: Voice) -> str:
    """How to ask for a picture."""
    return (
        f"Say what should be in the picture: `{voice.imagine} a red fox in snow`. It arrives in a thread, "
        "and a reply in that thread changes it.\nOptions:\n"
        "• `--size square`, `landscape`, `portrait` or `1536x1024`\n"
        "• `--ar 16:9`\n"
        "• `--quality low`, `medium` or `high`\n"
        "• `--model` and the name of an image model\n"
        "• `--format png` or `jpeg`\n"
        f"In a thread, where commands do not work, mention {voice.us} or just reply. "
        f"`{voice.spend}` shows what you have spent."
    )


def unknown_command(voice: Voice) -> str:
    """Slack sent a command that the settings do not know."""
    return (
        f"Darkroom does not know this. It listens to `{voice.imagine}` and `{voice.spend}`; "
        f"{voice.an_admin} can bring Slack's app settings and Darkroom's into line."
    )


def bad_option(sentence: str) -> str:
    """Something is wrong with an option; *sentence* says what and what is allowed."""
    return f"Nothing was made and nothing was charged. {escape(sentence)}"


def edit_not_taken(sentence: str) -> str:
    """An edit is wrong; *sentence* says what. The request stands as it was."""
    return f"Your edit was not taken over; the request stands as it was. {escape(sentence)}"


EDIT_TOO_LATE = (
    "Your edit came too late: that request was already being worked on. Reply in the thread with what "
    "should be different."
)
DELETE_TOO_LATE = (
    "You deleted your message, but its picture was already being made: it will still arrive and be charged."
)
OUTSIDER = "This is for people of the workspace that runs Darkroom. Ask somebody of that workspace."
DETAILS_GONE = "Darkroom has no record of this picture any more. Reply in the thread to make another."


def more_money(voice: Voice, user_id: str) -> str:
    """How somebody with a cap can have more: admins of the settings give it themselves."""
    if user_id in voice.admins:
        return f"More money: you are an admin, `{voice.spend} help` says how to give it."
    return f"More money: ask {voice.an_admin}."


def admins_only(voice: Voice) -> str:
    """Somebody asked for what only admins may see."""
    return f"This is for admins. `{voice.spend}` shows your own spend; otherwise ask {voice.an_admin}."


def busy(voice: Voice) -> str:
    """Too much is being answered already."""
    return (
        f"Darkroom is answering too many questions at once, so nothing was looked up or changed. Send your "
        f"`{voice.spend}` again in a minute."
    )


def broken(voice: Voice) -> str:
    """A fault of ours while answering somebody."""
    return f"Darkroom itself failed just now. Try again; if it stays so, tell {voice.an_admin}."


def not_delivered(slack_error: str, voice: Voice) -> str:
    """The picture exists and was paid for, but cannot be posted."""
    return (
        f"Your picture is made and kept, but it could not be posted, because "
        f"{why_not_posted(slack_error, voice)} Then ask {voice.an_admin} for it: `darkroom turns` lists it."
    )
