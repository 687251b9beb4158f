"""What the app offered in the menus whose choices it is asked for: only that can be chosen in them."""

from typing import TYPE_CHECKING, Final

from sandbox.slack.model import Json

if TYPE_CHECKING:
    from sandbox.slack.state import State

MENUS_MAX: Final = 200
"""Menus whose choices are remembered; the oldest are forgotten."""
_OPTIONS_MAX: Final = 1_000

Menu = tuple[str, str, str, str]
"""The person, the message or view, the block and the action."""


def is_external(element: Json) -> bool:
    """Whether the app is asked for the choices of this element."""
    return str(element["type"]).endswith("external_select")


def remember(state: "State", menu: Menu, options: list[Json]) -> None:
    """Keep what was offered in a menu, besides what was offered there before."""
    known = state.suggested.pop(menu, {})
    for option in options:
        known.pop(option["value"], None)
        known[option["value"]] = option
    for value in list(known)[: max(0, len(known) - _OPTIONS_MAX)]:
        del known[value]
    state.suggested[menu] = known
    while len(state.suggested) > MENUS_MAX:
        del state.suggested[next(iter(state.suggested))]


def as_offered(state: "State", menu: Menu, element: Json, held: Json | None = None) -> Json:
    """The element as this person can use it: such a menu with what it began with, what is chosen in it
    (`held`) and what the app has offered there as its options; any other element as it is."""
    if not is_external(element):
        return element
    chosen = [
        *[element.get("initial_option"), *element.get("initial_options", [])],
        *[(held or {}).get("selected_option"), *((held or {}).get("selected_options") or [])],
    ]
    return {**element, "options": [*state.suggested.get(menu, {}).values(), *filter(None, chosen)]}
