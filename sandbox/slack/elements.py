"""Block Kit's small parts: text objects, images, and everything a person can press or fill in."""

from typing import Any, Final

from sandbox.slack.files import FILE_ID
from sandbox.slack.shapes import (
    Check,
    Findings,
    anything,
    boolean,
    both,
    integer,
    items,
    kinds,
    one_of,
    shape,
    string,
)

ID = string(255, minimum=1)


def text(maximum: int, *allowed: str, minimum: int = 1) -> Check:
    """A text object, `plain_text` or `mrkdwn` (or only `allowed`)."""
    body = string(maximum, minimum=minimum)
    forms = {
        "plain_text": shape({"text": body}, {"emoji": boolean}),
        "mrkdwn": shape({"text": body}, {"verbatim": boolean}),
    }
    return kinds(forms, *allowed)


def _slack_file(value: Any, path: str, found: Findings) -> None:
    if not isinstance(value, dict):
        found.add("must be an object", path)
        return
    given = [key for key in ("id", "url") if key in value]
    extra = set(value) - {"id", "url"}
    malformed = "id" in value and not (isinstance(value["id"], str) and FILE_ID.match(value["id"]))
    if len(given) != 1 or extra:
        found.add("must define exactly one of: id, url", path)
    elif not found.files_allowed or malformed or found.file_refused(value):
        found.add("invalid slack file", path)


def one_source(value: Any, path: str, found: Findings) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        found.add("must define exactly one of: image_url, slack_file", path)


PLAIN = "plain_text"
IMAGE_KEYS: Final = {"alt_text": string(2000, minimum=1)}
IMAGE_SOURCES: Final = {"image_url": string(3000, minimum=1), "slack_file": _slack_file}
_OPTION = shape({"text": text(75), "value": string(150, minimum=1)}, {"description": text(75)})
_MENU_OPTION = shape(
    {"text": text(75, PLAIN), "value": string(150, minimum=1)}, {"description": text(75, PLAIN)}
)
_OVERFLOW_OPTION = shape(
    {"text": text(75, PLAIN), "value": string(150, minimum=1)},
    {"description": text(75, PLAIN), "url": string(3000)},
)
_FEEDBACK = shape(
    {"text": text(75, PLAIN), "value": string(2000, minimum=1)}, {"accessibility_label": string(75)}
)
_CONFIRM = shape(
    {"title": text(100, PLAIN), "text": text(300), "confirm": text(30, PLAIN), "deny": text(30, PLAIN)},
    {"style": one_of("primary", "danger")},
)
_OPTIONS = items(_OPTION, 100)
_MENU_OPTIONS = items(_MENU_OPTION, 100)
_GROUP = shape({"label": text(75, PLAIN), "options": _MENU_OPTIONS})
_GROUPS = items(_GROUP, 100)
SUGGESTED: Final = shape(
    {}, {"options": items(_MENU_OPTION, 100, minimum=0), "option_groups": items(_GROUP, 100, minimum=0)}
)
"""What the app may answer when it is asked for the choices of a menu."""
_COMMON: Final[dict[str, Check]] = {"action_id": ID, "confirm": _CONFIRM, "focus_on_load": boolean}
_PICK: Final[dict[str, Check]] = {**_COMMON, "placeholder": text(150, PLAIN)}
_MANY: Final[dict[str, Check]] = {"max_selected_items": integer(1)}


def _picker(**own: Check) -> tuple[Check, Check]:
    """A select of some kind, and its multi form."""
    single = shape({}, {**_PICK, **own, "response_url_enabled": boolean, "filter": anything})
    return single, shape({}, {**_PICK, **own, **_MANY, "filter": anything})


_STATIC, _MULTI_STATIC = _picker(
    options=_MENU_OPTIONS, option_groups=_GROUPS, initial_option=_MENU_OPTION, initial_options=_MENU_OPTIONS
)
_EXTERNAL, _MULTI_EXTERNAL = _picker(
    min_query_length=integer(0), initial_option=_MENU_OPTION, initial_options=_MENU_OPTIONS
)
_USERS, _MULTI_USERS = _picker(initial_user=string(), initial_users=items(string(), 100))
_ROOMS, _MULTI_ROOMS = _picker(
    initial_conversation=string(),
    initial_conversations=items(string(), 100),
    default_to_current_conversation=boolean,
)
_CHANNELS, _MULTI_CHANNELS = _picker(initial_channel=string(), initial_channels=items(string(), 100))

ELEMENTS: Final[dict[str, Check]] = {
    "button": shape(
        {"text": text(75, PLAIN)},
        {
            "action_id": ID,
            "url": string(3000),
            "value": string(2000),
            "style": one_of("primary", "danger"),
            "confirm": _CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "workflow_button": shape({"text": text(75, PLAIN), "workflow": anything, "action_id": ID}),
    "icon_button": shape(
        {"icon": string(), "text": text(75, PLAIN), "action_id": ID},
        {
            "value": string(2000),
            "confirm": _CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": anything,
        },
    ),
    "feedback_buttons": shape(
        {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {"action_id": ID}
    ),
    "image": both(shape(IMAGE_KEYS, IMAGE_SOURCES), one_source),
    "overflow": shape({"options": items(_OVERFLOW_OPTION, 5)}, {"action_id": ID, "confirm": _CONFIRM}),
    "static_select": _STATIC,
    "multi_static_select": _MULTI_STATIC,
    "external_select": _EXTERNAL,
    "multi_external_select": _MULTI_EXTERNAL,
    "users_select": _USERS,
    "multi_users_select": _MULTI_USERS,
    "conversations_select": _ROOMS,
    "multi_conversations_select": _MULTI_ROOMS,
    "channels_select": _CHANNELS,
    "multi_channels_select": _MULTI_CHANNELS,
    "checkboxes": shape({"options": items(_OPTION, 10)}, {**_COMMON, "initial_options": _OPTIONS}),
    "radio_buttons": shape({"options": items(_OPTION, 10)}, {**_COMMON, "initial_option": _OPTION}),
    "datepicker": shape({}, {**_PICK, "initial_date": string()}),
    "timepicker": shape({}, {**_PICK, "initial_time": string(), "timezone": string()}),
    "datetimepicker": shape({}, {**_COMMON, "initial_date_time": integer(0)}),
    "plain_text_input": shape(
        {},
        {
            **_PICK,
            "initial_value": string(3000),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": anything,
        },
    ),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {
            **_PICK,
            "initial_value": string(),
            "min_value": string(),
            "max_value": string(),
            "dispatch_action_config": anything,
        },
    ),
    "email_text_input": shape({}, {**_PICK, "initial_value": string(), "dispatch_action_config": anything}),
    "url_text_input": shape({}, {**_PICK, "initial_value": string(), "dispatch_action_config": anything}),
    "file_input": shape({}, {"action_id": ID, "filetypes": items(string(), 50), "max_files": integer(1, 10)}),
    "rich_text_input": shape({}, {**_PICK, "initial_value": anything, "dispatch_action_config": anything}),
}
_SELECTS: Final = tuple(name for name in ELEMENTS if name.endswith("_select"))
ACCESSORIES: Final = (
    "button",
    "image",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "workflow_button",
    *_SELECTS,
)
ACTIONS: Final = (
    "button",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "workflow_button",
    "rich_text_input",
    *_SELECTS,
)
INPUTS: Final = (
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "file_input",
    "rich_text_input",
    *_SELECTS,
)
