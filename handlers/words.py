"""The sentences that several surfaces share: what happened, and what to do next. How a turn ended is said in
``words_endings``, what is said of pictures in ``words_pictures``, answers to admins in ``words_admin``; what
stands in a view is in ``blocks``."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.blocks.text import escape, mention, truncate
from handlers.clients import NO_ANSWER
from handlers.pacing import TOO_LONG

ADMINS_NAMED_MAX = 3


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
    user_id: str = ""


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
    if slack_error.endswith(NO_ANSWER):
        return f"Slack did not answer. Try again in a few minutes; if it stays so, tell {voice.an_admin}."
    if slack_error == TOO_LONG:
        return "Slack lets me do only so much at a time, and this did not get its turn. Try again later."
    error = escape(truncate(slack_error, 80))
    return f"Slack answered “{error}”. Try again in a few minutes; if it stays so, tell {voice.an_admin}."


def usage(voice: Voice) -> str:
    """How to ask for pictures; fits a screen."""
    return (
        f"Say what should be in the picture: `{voice.imagine} a red fox in snow`. It arrives in a thread; a "
        "reply there changes it, `undo` goes back one and `versions` lists them all.\n"
        "• `--n 3` makes up to 4 at once\n"
        "• `--size square`, `landscape`, `portrait`, `banner`, `story` or `1536x1024`; or `--ar 16:9`\n"
        "• `--quality low`, `medium` or `high`\n"
        "• `--background transparent`; `--format png` or `jpeg`; `--model` and a model's name\n"
        f"• `--private` with `{voice.imagine}` makes it in our direct message; `{voice.imagine} last` brings "
        "your last pictures there, at no cost\n"
        f"• `{voice.imagine} status` says whether I can make pictures now, how soon, and with which model\n"
        "Pictures attached to a reply or a mention go along; a PNG of the same shape with transparent areas "
        "is a mask: only those areas change.\n"
        f"In a thread, where commands do not work, reply or mention {voice.us}; on a message with a picture, "
        f"“Edit with Darkroom” in its menu. `{voice.spend}` shows what you have spent."
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


def busy_with_status(voice: Voice) -> str:
    """Too much is being answered already, or this very question is."""
    return (
        f"Darkroom is still looking this up, or is answering too many questions at once. If nothing comes, "
        f"send `{voice.imagine} status` again in a minute."
    )


def broken(voice: Voice) -> str:
    """A fault of ours while answering somebody."""
    return f"Darkroom itself failed just now. Try again; if it stays so, tell {voice.an_admin}."


DIALOG_TOO_LATE = (
    "Slack was too slow just now to open the dialog, so nothing was made or changed. Try again: press it "
    "once more."
)
BROKEN_DIALOG = "Darkroom itself failed just now, and nothing was made. Send it off again in a minute."
