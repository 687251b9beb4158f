"""How a turn ended, in words: what happened, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from darkroom.rendering.job import Concern
from darkroom.spending.money import format_usd
from darkroom.turns.endings import Ending, Outcome, Reason
from handlers.blocks.scopes import Details, person_words
from handlers.blocks.text import NAME_MAX, TEXT_MAX, counted, escape, truncate, when
from handlers.words import Hearer, Voice, why_not_posted
from handlers.words_files import bad_file, too_many
from handlers.words_waiting import how_to_mend, not_taken_in, waited_in_vain

API_WORDS_MAX = 600
NOTHING = "Nothing was made and nothing was charged: "


def say(ending: Ending, voice: Voice, hearer: Hearer) -> str:
    """The sentences for an ending, as ``mrkdwn`` with everything foreign escaped, at most 4,000 long."""
    told = _Told(ending.details, voice, hearer)
    text = _SENTENCES[ending.reason](told)
    if ending.reason in _AFTER_A_CALL:
        text += f" {_charge(told)}"
    message = str(ending.details.get("message", ""))
    if hearer.admin and message:
        text += f"\nFor you as an admin, the API's words: {escape(truncate(message, API_WORDS_MAX))}"
    trouble = str(ending.details.get("trouble", "")) if ending.reason is Reason.API_CLOSED else ending.reason
    if hearer.admin and how_to_mend(trouble):
        text += f"\nFor you as an admin: {how_to_mend(trouble)}"
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
    left_words, needed_words = format_usd(left), told.usd("needed_nano_usd")
    if left and left_words == needed_words:
        # Rounded to cents they read the same, as if there were enough.
        left_words = "a little less than that"
    cheaper = " A smaller size or `--quality low` may cost little enough." if left else ""
    meanwhile = f" ({format_usd(held)} more is held for pictures being made)" if held else ""
    return (
        f"{NOTHING}this picture could cost up to "
        f"{needed_words}, and {whose} {left_words} left of {format_usd(cap)} "
        f"{told.period()}{meanwhile}. It renews on {told.time('renews_at')}. To have it raised, ask "
        f"{told.voice.an_admin}.{cheaper}"
    )


def _not_allowed(told: _Told) -> str:
    dimension, value = told.text("dimension"), told.text("value")
    allowed = told.text("allowed", limit=API_WORDS_MAX)
    what = f"the model {value}" if dimension == "model" else f"the quality “{value}”"
    instead = f" Allowed here: {allowed} (`--{dimension}`)." if allowed else ""
    return (
        f"{NOTHING}an admin does not allow {what} here.{instead} "
        f"To have it allowed, ask {told.voice.an_admin}."
    )


def _not_in_channel(told: _Told) -> str:
    voice = told.voice
    if told.hearer.channel_id.startswith("D"):
        return (
            f"I cannot post in a direct message between others, so nothing was made. Send the same "
            f"`{voice.imagine}` in our own direct message: open it through {voice.us}."
        )
    # By name: what came of a dialog is read in our direct message, if it cannot be said in the channel.
    return (
        f"I am not in <#{told.hearer.channel_id}>, so nothing was made. Type `/invite` {voice.us} there, "
        "then ask again."
    )


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


def _no_access(told: _Told) -> str:
    if told.details.get("concerns") == Concern.HOST:
        return (
            "The OpenAI account may not use what Darkroom reads messages with, so nothing was made. Say it "
            "as a change that begins with what to do, such as “make it night”, or type "
            f"`{told.voice.imagine}` for a new picture: those may still work. Tell {told.voice.an_admin}."
        )
    return (
        "The OpenAI account may use none of the models that Darkroom is set to, so nothing was made. "
        f"Tell {told.voice.an_admin}; `--model` may name one that works."
    )


_AFTER_A_CALL = frozenset(
    {
        Reason.MODERATION,
        Reason.QUOTA,
        Reason.KEY,
        Reason.NO_ACCESS,
        Reason.RATE,
        Reason.REGION,
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
        # Others may have come, and were.
        missing = told.number("wanted") - told.number("made") if told.number("made") else 0
        return f"Nothing was charged{'' if missing == 0 else ' for it' if missing == 1 else ' for them'}."
    return f"{format_usd(charged)} was charged for what the model did until then."


def _nothing_to_undo(told: _Told) -> str:
    version = told.number("version")
    if version == 0:
        return "This thread has no picture yet, so there is nothing to go back to. Describe one to begin."
    return (
        f"There is nothing to go back to: v{version} was not made from another picture, or that one was "
        "deleted. `versions` lists what there is; “Edit this one” in a picture's menu goes on from it."
    )


def _uncertain(told: _Told) -> str:
    return (
        "The call to OpenAI failed or broke off while your picture was being made, and nobody can say "
        f"whether it was. {told.usd('held_nano_usd')} is charged until it is known. Nothing is sent again "
        f"unasked: if you still want it, ask again. About the charge, ask {told.voice.an_admin}."
    )


def _queue_full(told: _Told) -> str:
    waiting = counted(told.number("waiting"), "request", "requests")
    if told.number("own"):
        full = f"You have {waiting} waiting already, so this one"
    else:
        full = f"Too much is waiting already ({waiting}), so yours"
    return f"{full} was not taken in and nothing was charged. Try again in a few minutes."


def _called_off(told: _Told) -> str:
    by, again = str(told.details.get("by", "")), "Send it again if you want it after all."
    if by in ("", told.hearer.user_id):
        return f"Your request was cancelled: nothing was made and nothing was charged. {again}"
    return (
        f"{person_words(by)} cancelled your request: nothing was made and nothing was charged. Ask them why; "
        "then you can send it again."
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
    Reason.QUEUE_FULL: _queue_full,
    Reason.MODEL_UNUSABLE: lambda told: (
        f"Nothing was made: {told.text('why', limit=API_WORDS_MAX)}\nUse another model with `--model`, or "
        f"tell {told.voice.an_admin}."
    ),
    Reason.MODERATION: _moderation,
    Reason.API_CLOSED: lambda told: f"{NOTHING}{not_taken_in(told.text('trouble'), told.voice.an_admin)}",
    Reason.QUOTA: lambda told: waited_in_vain(Reason.QUOTA, told.voice.an_admin),
    Reason.KEY: lambda told: waited_in_vain(Reason.KEY, told.voice.an_admin),
    Reason.REGION: lambda told: waited_in_vain(Reason.REGION, told.voice.an_admin),
    Reason.NO_ACCESS: _no_access,
    Reason.RATE: lambda told: (
        "OpenAI lets this account make only so many pictures a minute, and your request did not get its turn "
        "for as long as it could wait. Try again in a few minutes; admins can ask OpenAI for a higher limit."
    ),
    Reason.UNREACHABLE: lambda told: (
        "OpenAI cannot be reached at the moment, also after several tries, so nothing was made. Try again in "
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
    Reason.CALLED_OFF: _called_off,
    Reason.TOO_OLD: lambda told: (
        "Darkroom was not running for over an hour, so your request was given up and nothing was charged. "
        "Try again."
    ),
    Reason.REMOVED: lambda told: (
        f"{NOTHING}Darkroom was taken out of this workspace while your request waited. It is back: send your "
        "request again."
    ),
    Reason.BROKEN: lambda told: (
        f"Darkroom itself failed on this request. Try again; if it stays so, tell {told.voice.an_admin}: "
        "the log has the details."
    ),
    Reason.BAD_FILE: lambda told: bad_file(
        told.text("file", limit=NAME_MAX), str(told.details.get("why", "")), told.voice.us
    ),
    Reason.TOO_MANY_FILES: lambda told: too_many(told.number("files"), told.number("allowed")),
    Reason.PICTURE_GONE: lambda told: (
        "The picture that this builds on was deleted, so nothing was made and nothing was charged. Choose "
        "“Edit this one” in the menu of another version, or describe a whole picture."
    ),
    Reason.EDIT_OR_NEW: lambda told: (
        f"Nothing was made yet: shall I change your last picture (v{told.number('version')}), or make a new "
        "one? A reply in a picture's own thread always changes that picture."
    ),
    Reason.UNDONE: lambda told: (
        f"Back to v{told.number('version')}: the next change builds on it. v{told.number('undone')} stays."
    ),
    Reason.NOTHING_TO_UNDO: _nothing_to_undo,
    Reason.VERSIONS: lambda told: "The versions of this thread are listed in it.",
}


def rest_of(ending: Ending, voice: Voice, hearer: Hearer) -> str | None:
    """Why some of the wanted pictures did not come, where that is so."""
    wanted, made = (ending.details.get(key) for key in ("wanted", "made"))
    rest = str(ending.details.get("rest", ""))
    if not isinstance(wanted, int) or not isinstance(made, int) or rest not in set(Reason):
        return None
    others = "The other one did not" if wanted - made == 1 else f"The other {wanted - made} did not"
    sentence = say(Ending(Outcome.FAILED, Reason(rest), ending.details), voice, hearer)
    # Of a picture alone it would be true that nothing was made.
    why = sentence.removeprefix(NOTHING)
    return f"{made} of {wanted} pictures came, in the thread. {others}: {why}"
