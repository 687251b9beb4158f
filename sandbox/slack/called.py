"""The record of the app's calls: whole where they are of an ordinary size, abridged where they are not."""

from collections import deque
from itertools import islice
from typing import Any, Final

from sandbox.slack.limits import RECORDS_MAX
from sandbox.slack.model import CallRecord, Json

WHOLE_MAX: Final = 100_000
"""The weight up to which a call is kept as it came: two messages of Slack's longest text."""
KEPT_MAX: Final = 64_000_000
"""The weight of all calls that are kept."""
TEXT_MAX: Final = 2_000
ITEMS_MAX: Final = 200
_TIGHTER: Final = ((TEXT_MAX, ITEMS_MAX), (200, 40), (80, 10))
"""Characters of a text and items of a list or an object, until all of it is small enough."""
_PIECE: Final = 50


class Calls(deque[CallRecord]):
    """The newest calls: at most `RECORDS_MAX` of them, at most `KEPT_MAX` in weight."""

    def __init__(self) -> None:
        super().__init__()
        self._weights: deque[int] = deque()
        self._weight = 0

    def append(self, call: CallRecord, /) -> None:
        """Keep one more; the oldest go."""
        super().append(call)
        self._weights.append(weight(call.params, WHOLE_MAX))
        self._weight += self._weights[-1]
        while len(self) > RECORDS_MAX or self._weight > KEPT_MAX:
            self.popleft()
            self._weight -= self._weights.popleft()

    def clear(self) -> None:
        """Forget all of them."""
        super().clear()
        self._weights.clear()
        self._weight = 0


def weight(value: Any, most: int) -> int:
    """About how many bytes a parameter takes; what is more than `most` is not counted to its end."""
    total, waiting = 0, [value]
    while waiting and total <= most:
        one = waiting.pop()
        total += _PIECE
        if isinstance(one, str | bytes):
            total += len(one)
        elif isinstance(one, dict):
            total += sum(map(len, map(str, one)))
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
    return total


def recorded(params: Json) -> Json:
    """Parameters as they are kept: a file's bytes counted; all of it abridged where it weighs too much."""
    kept: Json = {name: counted(value) for name, value in params.items()}
    for text_max, items_max in _TIGHTER:
        if weight(kept, WHOLE_MAX) <= WHOLE_MAX:
            return kept
        kept = abridged(kept, text_max, items_max)
    return kept if weight(kept, WHOLE_MAX) <= WHOLE_MAX else {"…": "(too much to be kept)"}


def abridged(value: Any, text_max: int = TEXT_MAX, items_max: int = ITEMS_MAX) -> Any:
    """As JSON, with long texts cut, long lists and objects ended early, and bytes counted."""
    if isinstance(value, dict):
        made = {
            _cut(str(key), text_max): abridged(item, text_max, items_max)
            for key, item in islice(value.items(), items_max)
        }
        return made | ({"…": f"({len(value) - items_max:,} more)"} if len(value) > items_max else {})
    if isinstance(value, list | tuple):
        items = [abridged(item, text_max, items_max) for item in value[:items_max]]
        return items + ([f"({len(value) - items_max:,} more)"] if len(value) > items_max else [])
    return _cut(value, text_max) if isinstance(value, str) else counted(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def counted(value: Any) -> Any:
    """How many bytes there are, in place of bytes: a form may carry a whole file."""
    return f"({len(value):,} bytes)" if isinstance(value, bytes | bytearray) else value
