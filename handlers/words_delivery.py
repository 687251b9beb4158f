"""What is said of a picture that could not be shown where it belongs, and of one that is fetched."""

from __future__ import annotations

from handlers.blocks.text import counted, escape, shown, truncate
from handlers.clients import NO_ANSWER
from handlers.pacing import TOO_LONG
from handlers.words import Voice

_THERE = {
    "not_in_channel": "I am not in that channel any more",
    "channel_not_found": "I am not in that channel any more",
    "is_archived": "that channel is archived",
    "restricted_action_read_only_channel": "that channel is read-only",
    "restricted_action_thread_locked": "that thread is locked",
    "restricted_action_non_threadable_channel": "that channel has no threads",
}
PROMPT_SHOWN_MAX = 60
LAST_MAX = 10
"""The most pictures that are brought at once."""
NOTHING_YET = "You have no pictures with Darkroom yet, or they were deleted."
BRINGING = "Your last pictures come to our direct message. This costs nothing."
TOO_BUSY = "I am busy just now, so nothing was brought. Try again in a minute."


def of_request(prompt: str, said: str) -> str:
    """*said* of one of several requests that somebody has made; the *prompt* in a few words."""
    what = shown(prompt, PROMPT_SHOWN_MAX)
    return f"“{what}”: {said}" if what.strip() else said


def why_not_there(slack_error: str) -> str:
    """The clause behind "because" for why something could not be posted in a channel."""
    if slack_error in _THERE:
        return _THERE[slack_error]
    if slack_error.startswith("restricted_action"):
        return "that channel does not let me post"
    if slack_error.endswith(NO_ANSWER):
        return "Slack did not answer"
    if slack_error == TOO_LONG:
        return "Slack lets me do only so much at a time"
    return f"Slack answered “{escape(truncate(slack_error, 80))}”"


def kept(slack_error: str, channel_id: str, voice: Voice) -> str:
    """The picture was paid for, and no way to its person is open."""
    return (
        f"Your picture is made and kept, but it could not be posted in <#{channel_id}>, because "
        f"{why_not_there(slack_error)}. I try again by myself for a week; `{voice.imagine} last` brings it "
        "to our direct message at any time, at no cost."
    )


def not_there(slack_error: str, channel_id: str) -> str:
    """Above a picture in our direct message that belongs elsewhere."""
    return f"You asked for this in <#{channel_id}>. It is here because {why_not_there(slack_error)}."


def words_not_there(slack_error: str, channel_id: str) -> str:
    """Above an answer in words in our direct message that belongs elsewhere."""
    return f"My answer to what you asked in <#{channel_id}>, here because {why_not_there(slack_error)}:"


def fetched(channel_id: str) -> str:
    """Above a picture in our direct message that its person wanted to have again."""
    where = "here" if channel_id.startswith("D") else f"in <#{channel_id}>"
    return f"You asked for this {where}."


def brought(links: list[str], failed: int) -> str:
    """What became of fetching the last pictures, for whoever did."""
    said = []
    if links:
        said.append(f"In our direct message: {', '.join(links)}.")
    if failed:
        some = counted(failed, "picture", "pictures")
        said.append(f"{some} could not be brought just now, and nothing is lost. Try again in a minute.")
    return " ".join(said) or NOTHING_YET
