"""What ``docs/troubleshooting.md`` adds to the sentences: why each comes, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from darkroom.turns.endings import Reason

NOTHING: Final = "nothing"
ENDINGS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.PICTURES: ("It went well.", NOTHING),
    Reason.WORDS: ("In a thread the model may answer in words: these are its own.", NOTHING),
    Reason.NOTHING_TO_SAY: ("The model had no answer, as to a “thank you”.", NOTHING),
    Reason.NO_MONEY: (
        "The most that the picture could cost does not fit under a cap: the person's, the channel's or the "
        "workspace's. What it really costs is usually less.",
        "`/spend cap` raises the cap, `/spend grant` gives once; `/spend team` shows who used it",
    ),
    Reason.PAUSED: ("An admin has typed `/spend pause`.", "`/spend resume`"),
    Reason.BLOCKED: ("An admin has typed `/spend block`.", "`/spend unblock @person`"),
    Reason.NOT_IN_PILOT: (
        "`/spend pilot` lets only some people and channels in.",
        "`/spend pilot @person`, or `/spend pilot off` for everybody",
    ),
    Reason.NOT_ALLOWED: (
        "`/spend allow` or `/spend deny` limits models or qualities here.",
        "`/spend models` lists who may use what",
    ),
    Reason.NOTHING_TO_EDIT: ("A reply asks for a change where there is no picture of Darkroom's.", NOTHING),
    Reason.NOT_IN_CHANNEL: (
        "Slack lets a bot post only where it was invited. Commands work everywhere, posts do not.",
        "`/invite @Darkroom` there",
    ),
    Reason.CANNOT_POST: (
        "Slack refused the post, for the reason that the sentence names.",
        "`darkroom doctor`, when it happens in many channels",
    ),
    Reason.GUEST: ("The person is a guest of the workspace.", "`slack.allow_guests = true`"),
    Reason.OUTSIDER: (
        "The person belongs to another workspace, as in shared channels, or Slack does not say to which.",
        NOTHING,
    ),
    Reason.QUEUE_FULL: (
        "The line is as long as it may be, or one person fills their part of it.",
        "`queue.waiting`, `queue.waiting_per_person`; `/imagine status` says what holds it up",
    ),
    Reason.MODEL_UNUSABLE: (
        "The catalogue has no price for the model, or it is retired, unknown, or cannot do what was asked.",
        "`catalogue.file` with its price; `darkroom doctor` looks at each model of the settings",
    ),
    Reason.MODERATION: ("OpenAI's moderation refused the words or the finished picture.", NOTHING),
    Reason.QUOTA: (
        "The OpenAI account had no money left, or had reached its limit, for a day.",
        "add money or raise the limit on OpenAI's billing page; no restart is needed",
    ),
    Reason.KEY: (
        "OpenAI did not accept the key for a day.",
        "a key that works in `OPENAI_API_KEY`, then start Darkroom again; `darkroom doctor` tries it",
    ),
    Reason.NO_ACCESS: (
        "The account may use none of the models in `image.model` and `image.fallback`: they are retired, or "
        "the organisation is not verified.",
        "verify the organisation on OpenAI's site, or name other models; `darkroom doctor` says which",
    ),
    Reason.RATE: (
        "The account's pictures a minute were used up for an hour.",
        "a higher limit at OpenAI; `/imagine status` shows what it is now",
    ),
    Reason.REGION: (
        "OpenAI does not serve the country that the calls come from.",
        "run Darkroom elsewhere, or let its calls go out elsewhere",
    ),
    Reason.API_CLOSED: (
        "An outage lasts: no money, a refused key, a refused region, or call after call fails.",
        "as for the three above; `/imagine status` says which it is",
    ),
    Reason.UNREACHABLE: (
        "No connection to the API's address came about.",
        "`darkroom doctor` on that machine; a proxy or a firewall is usual",
    ),
    Reason.API_REFUSED: ("The API refused the request itself.", "the log has its code, with the turn's id"),
    Reason.API_FAILED: ("The API says that it failed.", "OpenAI's status page, when it stays so"),
    Reason.NO_PICTURE: ("The model answered, but made no picture.", NOTHING),
    Reason.BAD_PICTURE: (
        "What came as a picture cannot be decoded.",
        "the log; behind another provider's address it is usually theirs",
    ),
    Reason.UNCERTAIN: (
        "The call broke off after it was sent: it may have been paid for, and asking for it brought nothing.",
        "`/spend uncertain` decides what it was; `darkroom spend reconcile` shows OpenAI's bill",
    ),
    Reason.TAKEN_BACK: ("The message that asked was deleted before its picture was begun.", NOTHING),
    Reason.CALLED_OFF: ("Somebody pressed Cancel while it waited.", NOTHING),
    Reason.TOO_OLD: ("Darkroom was not running for more than an hour.", "see why it stopped"),
    Reason.REMOVED: (
        "The app was removed from the workspace, or its token revoked, while it waited.",
        NOTHING,
    ),
    Reason.BROKEN: ("A fault in Darkroom.", "the log has a line with the turn's id: please report it"),
    Reason.BAD_FILE: ("An attached file cannot go along; each reason is listed below.", NOTHING),
    Reason.TOO_MANY_FILES: (
        "OpenAI takes 16 pictures with a call, the one that is changed included.",
        NOTHING,
    ),
    Reason.PICTURE_GONE: ("Somebody deleted the picture meanwhile.", NOTHING),
    Reason.EDIT_OR_NEW: ("A direct message reads like a change of the last picture.", NOTHING),
    Reason.UNDONE: ("`undo` in a thread.", NOTHING),
    Reason.NOTHING_TO_UNDO: ("`undo` where no version came before.", NOTHING),
    Reason.VERSIONS: ("`versions` in a thread.", NOTHING),
}
"""Of each ending why it comes, and what whoever runs Darkroom can do."""

ANSWERS: Final[Mapping[str, tuple[str, str]]] = {
    "words.unknown_command": (
        "Slack sent a command that Darkroom's settings do not name.",
        "paste what `darkroom manifest` prints into the app's settings, or mend `slack.command_prefix`",
    ),
    "words.bad_option": ("An option is mistyped; the sentence says what is allowed.", NOTHING),
    "words.edit_not_taken": ("A message that asked was edited, and now has a mistyped option.", NOTHING),
    "words.admins_only": (
        "`slack.admins` does not name the person, or is empty and Slack does not call them an admin.",
        "`slack.admins`",
    ),
    "words.busy": ("Too many `/spend` are being answered.", "look at the load of that machine"),
    "words.busy_with_status": ("Too many `/imagine status` are being answered.", NOTHING),
    "words.broken": ("A fault in Darkroom.", "the log has where: please report it"),
    "words_waiting.cancelling_not_yours": ("Cancel was pressed by somebody else.", NOTHING),
    "words_pictures.deleting_not_yours": ("Delete was pressed by somebody else.", NOTHING),
    "words_pictures.deleted": ("A button under a picture that was deleted.", NOTHING),
    "words_pictures.not_of_here": ("“Edit this one” where the picture only was shared.", NOTHING),
    "words_delivery.kept": (
        "The picture was paid for, and Slack takes it nowhere: not in its thread, not in the direct message.",
        "invite Darkroom there again, or see what the reason says; `darkroom turns` lists what is untold",
    ),
    "words_delivery.not_there": ("Slack took a picture only in the direct message.", "as above"),
    "words_delivery.words_not_there": ("The same of an answer in words.", "as above"),
    "words.EDIT_TOO_LATE": ("A message was edited when its picture was being made.", NOTHING),
    "words.DELETE_TOO_LATE": ("A message was deleted when its picture was being made.", NOTHING),
    "words.OUTSIDER": ("Somebody of another workspace used a command, a shortcut or a button.", NOTHING),
    "words.DIALOG_TOO_LATE": (
        "Slack lets a dialog be opened for three seconds only.",
        "if it happens often: the machine or its network is slow",
    ),
    "words.BROKEN_DIALOG": ("A fault in Darkroom.", "the log has where: please report it"),
    "words_delivery.NOTHING_YET": ("`/imagine last`, with nothing to bring.", NOTHING),
    "words_delivery.BRINGING": ("`/imagine last`.", NOTHING),
    "words_delivery.TOO_BUSY": ("Too many are fetching pictures at once.", NOTHING),
    "words_files.ABOVE_UNSEEN": (
        "The app was installed without the scopes to read channels.",
        "[scopes.md](scopes.md) says which; install it again with them",
    ),
    "words_pictures.GONE": ("A button of a picture that the books do not know, or know no more.", NOTHING),
    "words_pictures.NOT_ASKED_BY_YOU": ("Somebody else answered “edit or new?”.", NOTHING),
    "words_pictures.OVER": ("“Edit or new?” was answered before, or by another message.", NOTHING),
    "words_pictures.WORDS_DELETED": ("“Reword” after the picture, or its words, were deleted.", NOTHING),
    "words_pictures.WORDLESS": ("Its words were deleted after `retention.prompts_days`.", NOTHING),
    "words_pictures.HIGHEST": ("The model, or a rule of an admin's, has no higher quality.", NOTHING),
    "words_pictures.EDITING": ("The answer to “edit or new?”.", NOTHING),
    "words_pictures.MAKING_NEW": ("The answer to “edit or new?”.", NOTHING),
    "words_waiting.CANCEL_TOO_LATE": ("Cancel was pressed when the call was under way.", NOTHING),
    "words_waiting.CANCELLED_BEFORE": ("Cancel was pressed twice.", NOTHING),
    "words_waiting.NOTHING_TO_CANCEL": ("Cancel was pressed when the request had ended.", NOTHING),
}
"""The same of each other sentence, by its module and name."""
PARTS: Final = frozenset({"words_admin.AT_ONCE", "words_endings.NOTHING", "words_files.KINDS"})
"""What stands in several sentences, and alone in none."""
HELP: Final = frozenset(
    {
        "words.usage",
        "words.more_money",
        "words.why_not_posted",
        "words_admin.alerts_words",
        "words_admin.cannot_words",
        "words_admin.changed_words",
        "words_delivery.brought",
        "words_delivery.fetched",
        "words_delivery.of_request",
        "words_delivery.why_not_there",
        "words_endings.rest_of",
        "words_endings.say",
        "words_files.bad_file",
        "words_files.too_many",
        "words_files.why",
        "words_pictures.chosen",
        "words_pictures.chosen_where_shared",
        "words_pictures.erased",
        "words_pictures.pressed_before",
        "words_waiting.cancelled_for",
        "words_waiting.how_to_mend",
        "words_waiting.not_taken_in",
        "words_waiting.ordinal",
        "words_waiting.rate_words",
        "words_waiting.soon_words",
        "words_waiting.wait_words",
        "words_waiting.waited_in_vain",
        "words_waiting.why_closed",
        "words_waiting.why_was",
    }
)
"""What is said when all is well, what has a table of its own, and clauses of other sentences."""
