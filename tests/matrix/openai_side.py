"""The image API's side of the fault matrix: every fault that has a name, in every moment it can come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.faults.named import Named
from sandbox.faults.openai_names import OPENAI_NAMES
from sandbox.faults.rules import FaultPlan, Rule
from tests.matrix.moments import MOMENTS, Moment
from tests.matrix.seen import ALICE, BY_IMAGES, Mark, Seen, look
from tests.matrix.street import DESIGN, Street, on_street
from tests.reliability.tables import merged

Cells = Mapping[str, Mapping[str, Seen]]
"""By fault, then by moment."""
HOUR_S = 3_600.0
WHENEVER = "whenever it comes"
_AGAIN = ("no", "once", "twice")


def possible(moment: Moment) -> list[Named]:
    """The faults that may come then."""
    return [named for named in OPENAI_NAMES if named.places(moment.endpoint)]


def cell(moment: Moment, fault: str) -> Seen | None:
    """What becomes of it when the fault comes once; None where it can change nothing."""

    async def story(street: Street) -> Seen | None:
        mark = await moment.play(street, Rule("openai", moment.endpoint, fault))
        return None if mark is None else look(street, mark, moment.wanted)

    return on_street(story)


def hour(fault: str) -> tuple[Seen, Seen]:
    """What becomes of a first picture that is asked for while the fault comes each time for an hour, and of
    the next one after it."""

    async def story(street: Street) -> tuple[Seen, Seen]:
        street.api.fault_plan = FaultPlan([Rule("openai", "*", fault, times=None, until_s=HOUR_S)])
        seen: list[Seen] = []
        for _ in range(2):
            mark = Mark.at(street)
            await street.workspace.type_command(ALICE, DESIGN, "/imagine a red fox in snow")
            await street.rests()
            seen.append(look(street, mark, 1))
            await street.passes(2 * HOUR_S)
        return seen[0], seen[1]

    return on_street(story)


def faulty(seen: Seen, wanted: int) -> list[str]:
    """What is not as promised: one visible outcome is all the pictures, or one sentence."""
    found = [*seen.wrong, *seen.standing]
    if len(seen.told) != (0 if len(seen.pictures) == wanted else 1):
        found.append(f"{len(seen.pictures)} of {wanted} pictures, and told {len(seen.told)} times")
    return found


def rows(cells: Cells) -> list[list[str]]:
    """Rows for the page."""
    outcomes: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for fault, by_moment in cells.items():
        groups = outcomes.setdefault(fault, {})
        for moment, seen in by_moment.items():
            groups.setdefault(in_words(seen, moment), []).append(moment)
    return merged(outcomes, WHENEVER)


def in_words(seen: Seen, moment: str = "") -> tuple[str, str, str]:
    """What the person sees (that the Images endpoint made it goes without saying where it is asked), what was
    charged, whether it was asked for again."""
    again = _AGAIN[seen.again] if seen.again < len(_AGAIN) else f"{seen.again} times"
    sees = (
        seen.sees.replace(f": “{BY_IMAGES}”", "") if moment.endswith("by the Images endpoint") else seen.sees
    )
    return sees, seen.charged, again


def hour_row(fault: str, first: Seen) -> list[str]:
    """One for the page."""
    sees, charged, again = in_words(first)
    return [f"`{fault}`", sees, charged, again, _minutes(first.seconds)]


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def sample(every: int) -> Iterator[tuple[Moment, str]]:
    """Some cells, spread over all moments and faults."""
    for number, moment in enumerate(MOMENTS):
        yield from ((moment, named.name) for named in possible(moment)[number::every])
