"""What Slack's errors mean, and what is done about each: the one place where that is decided.

The names are those of https://docs.slack.dev/reference/methods (``chat.postMessage``, ``chat.update``,
``chat.delete``, ``chat.postEphemeral``, ``reactions.*``, ``files.*``, ``conversations.*``), whichever of the
methods says them. What is not in the table is ``OTHER``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from handlers.clients import SlackRefused, SlackUnclear
from handlers.pacing import TOO_LONG


class Meaning(StrEnum):
    """What an error says, and what follows from it for a picture that was paid for."""

    UNCLEAR = "unclear"
    """No usable answer: it may have happened. Look, then do it again; at last it waits for its next round."""
    PASSING = "passing"
    """Not now. It is done again after a while; at last it waits for its next round."""
    LATER = "later"
    """Not for a long while. It waits for its next round."""
    REVOKED = "revoked"
    """Slack does not know us: no way is open to anybody until an admin has mended that. It waits."""
    PLACE_GONE = "place_gone"
    """We may not post there, or not any more: it goes to its person's direct message with us."""
    THREAD_GONE = "thread_gone"
    """The thread is not there any more: it stands in the channel instead."""
    MESSAGE_GONE = "message_gone"
    """There is no such message: nothing is left to be changed, taken away or reacted to."""
    DONE_BEFORE = "done_before"
    """It is as it should be: an unclear try has done it."""
    FILE = "file"
    """Slack does not show the file in a message, or not yet: wait for it, then share it as a file."""
    TOO_MUCH = "too_much"
    """The message is longer than Slack takes: it says less."""
    PERSON = "person"
    """That person cannot be shown it there, or at all: try the next of the ways to them."""
    OTHER = "other"
    """A fault of ours, or something new: another way is tried once, then it waits for its next round."""


MEANINGS: Mapping[str, Meaning] = {
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), Meaning.PASSING),
    **dict.fromkeys((TOO_LONG, "team_added_to_org", "org_login_required"), Meaning.LATER),
    **dict.fromkeys(
        (
            "token_revoked",
            "token_expired",
            "account_inactive",
            "invalid_auth",
            "not_authed",
            "missing_scope",
            "team_access_not_granted",
            "access_denied",
            "not_allowed_token_type",
            "ekm_access_denied",
        ),
        Meaning.REVOKED,
    ),
    **dict.fromkeys(
        (
            "not_in_channel",
            "channel_not_found",
            "is_archived",
            "is_inactive",
            "posting_to_general_channel_denied",
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_locked",
            "team_not_found",
        ),
        Meaning.PLACE_GONE,
    ),
    **dict.fromkeys(("thread_not_found", "cannot_reply_to_message"), Meaning.THREAD_GONE),
    **dict.fromkeys(
        (
            "message_not_found",
            "cant_update_message",
            "cant_delete_message",
            "edit_window_closed",
            "file_deleted",
            "file_not_found",
            "no_item_specified",
        ),
        Meaning.MESSAGE_GONE,
    ),
    **dict.fromkeys(("already_reacted", "no_reaction"), Meaning.DONE_BEFORE),
    **dict.fromkeys(("invalid_blocks", "invalid_blocks_format", "slack_file_error"), Meaning.FILE),
    **dict.fromkeys(("msg_too_long", "msg_blocks_too_long", "too_many_attachments"), Meaning.TOO_MUCH),
    **dict.fromkeys(
        (
            "user_not_in_channel",
            "user_not_found",
            "user_disabled",
            "cannot_dm_bot",
            "messages_tab_disabled",
            "used_url",
            "expired_url",
            "no_such_url",
        ),
        Meaning.PERSON,
    ),
}
"""By Slack's name of an error; what is said of a message with a file: see ``in_message``."""

WAITING = frozenset({Meaning.UNCLEAR, Meaning.PASSING, Meaning.LATER, Meaning.REVOKED})
"""No other way would be any better: what meets with one of these waits for its next round."""


def meaning(error: SlackRefused | SlackUnclear) -> Meaning:
    """What *error* means, whatever was asked."""
    if isinstance(error, SlackUnclear):
        return Meaning.UNCLEAR
    return MEANINGS.get(error.error, Meaning.OTHER)


def in_message(error: SlackRefused | SlackUnclear) -> Meaning:
    """What *error* means of a message that shows a file: a file that is not found is its trouble, too."""
    found = meaning(error)
    lost = isinstance(error, SlackRefused) and error.error in {"file_not_found", "file_deleted"}
    return Meaning.FILE if lost else found


def named(*meanings: Meaning) -> frozenset[str]:
    """Slack's names for these."""
    return frozenset(name for name, one in MEANINGS.items() if one in meanings)
