"""Keeping what is known of the account up to date: asked once a day, and read from every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from darkroom.clock import Clock
from darkroom.rendering.access import Access, ModelSeen
from darkroom.rendering.job import Answer, Candidate, FailureKind
from darkroom.turns.account_book import AccountBook, RateSeen, limits_of

CHECK_EVERY = timedelta(days=1)
AFTER_REFUSAL = timedelta(minutes=5)
"""A model that was refused in a call is asked about again, unless it was asked about so short a time ago."""
UNANSWERED_FOR = timedelta(minutes=4)
"""Where the API did not answer, it is not asked again for so long, whatever is heard meanwhile."""
RATES_EVERY = timedelta(hours=1)
"""Limits that stay the same are written down so often: "as seen last" need not be more exact."""

LookUp = Callable[[str], Awaitable[ModelSeen]]
"""What the API says of a model: ``darkroom.rendering.account.Account.look_up``."""


class AccountWatch:
    """Hears every answer, and has the books say what follows of it in ``round``.

    *models* are those of the settings. Without *look_up* the API is never asked about them.
    """

    def __init__(
        self,
        look_up: LookUp | None,
        book: AccountBook,
        provider: str,
        models: Sequence[str],
        clock: Clock,
    ) -> None:
        self._look_up = look_up
        self._book = book
        self._provider = provider
        self._models = tuple(dict.fromkeys(models))
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []
        self._chosen = False
        self._learned: dict[str, datetime] = {}
        """When the API last said something of each model, since the start: another key may be another
        account's."""
        self._unanswered: dict[str, datetime] = {}
        """When it was asked last about each that it said nothing of."""
        self._suspects: set[str] = set()
        self._heard: dict[tuple[str, str], RateSeen] = {}
        """Limits that are to be written down, by model and endpoint."""
        self._written: dict[tuple[str, str], RateSeen] = {}

    def listen(self, due: Callable[[], None]) -> None:
        """Have *due* called whenever a round has something to do."""
        self._listeners.append(due)

    def heard(self, candidate: Candidate, answer: Answer) -> None:
        """A call has been answered. Returns at once, never raises."""
        failure = answer.failure
        if failure is not None and failure.kind in (FailureKind.ACCESS, FailureKind.MODEL_GONE):
            self._suspects |= {candidate.image_model, candidate.host_model} & set(self._models)
            self._ask_for_round()
        limits = limits_of(answer.headers)
        if not limits.told:
            return
        key = candidate.image_model, str(candidate.endpoint)
        rate, before = RateSeen(*key, limits, self._clock.now()), self._written.get(key)
        if before is None or before.limits != limits or rate.seen_at - before.seen_at >= RATES_EVERY:
            self._heard[key] = rate
            self._ask_for_round()

    async def begin(self) -> bool:
        """Write down which provider it is, before anything is called there; true when that is done."""
        if not self._chosen:
            await self._book.choose(self._provider, self._clock.now())
            self._chosen = True
        return True

    async def round(self) -> bool:
        """Write down what was heard, and ask about what is due; whether all of that was answered."""
        await self.begin()
        for key, rate in list(self._heard.items()):
            await self._book.rated(self._provider, rate)
            self._written[key] = rate
            if self._heard.get(key) is rate:
                del self._heard[key]
        if self._look_up is not None:
            for model in self._due():
                await self._ask(self._look_up, model)
        return not self._unanswered

    def _ask_for_round(self) -> None:
        for due in self._listeners:
            due()

    def _due(self) -> list[str]:
        now = self._clock.now()
        due = []
        for model in self._models:
            asked = self._unanswered.get(model)
            if asked is not None and now - asked < UNANSWERED_FOR:
                continue
            learned = self._learned.get(model)
            after = AFTER_REFUSAL if model in self._suspects else CHECK_EVERY
            if learned is None or now - learned >= after:
                due.append(model)
            else:
                self._suspects.discard(model)
        return due

    async def _ask(self, look_up: LookUp, model: str) -> None:
        seen = await look_up(model)
        now = self._clock.now()
        await self._book.checked(self._provider, seen, now)
        if seen.access is Access.UNKNOWN:
            self._unanswered[model] = now
            return
        self._unanswered.pop(model, None)
        self._learned[model] = now
        self._suspects.discard(model)
