"""What must be true after a death at any step: nothing lost, nothing twice, nothing left behind."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from sandbox.images.costs import host_prices, image_prices
from sandbox.images.faults import Call
from sandbox.slack.model import Message
from storage.blobs import BlobStore
from storage.database import PICTURES_NAME
from tests.crash.stage import Stage

RESPONSES = "responses"
GENERATIONS = (RESPONSES, "images.generations", "images.edits")
"""Of these, only the first gives its answers an id by which the books know them."""


@dataclass(frozen=True)
class Before:
    """How far the world had come when something was done."""

    turns: frozenset[str]
    calls: int
    messages: frozenset[tuple[str, str]]
    private: int
    envelopes: int
    decisions: int

    @classmethod
    def at(cls, stage: Stage) -> Before:
        """Now."""
        workspace, ledger = stage.workspace, stage.ledger
        return cls(
            turns=frozenset(row["id"] for row in ledger.rows("SELECT id FROM turns")),
            calls=len(stage.world.images.calls),
            messages=frozenset((m.channel, m.ts) for m in _everything(stage)),
            private=_private(stage),
            envelopes=len(workspace.delivery.sent),
            decisions=len(ledger.rows("SELECT id FROM admin_journal")),
        )


class After:
    """What has happened since, once everything rests."""

    def __init__(self, stage: Stage, before: Before) -> None:
        self.stage, self.before = stage, before
        self.turns = [
            row for row in stage.ledger.rows("SELECT * FROM turns") if row["id"] not in before.turns
        ]
        self.attempts = [
            row for row in stage.ledger.rows("SELECT * FROM attempts") if row["turn_id"] not in before.turns
        ]
        self.calls = [c for c in stage.world.images.calls[before.calls :] if c.endpoint in GENERATIONS]
        self.messages = [m for m in _everything(stage) if (m.channel, m.ts) not in before.messages]
        self.decisions = stage.ledger.rows("SELECT * FROM admin_journal")[before.decisions :]

    @property
    def told_privately(self) -> int:
        """How many things were said to one person alone."""
        return _private(self.stage) - self.before.private

    @property
    def acknowledged(self) -> bool:
        """Whether Slack was told that what somebody did has arrived."""
        delivery = self.stage.workspace.delivery
        acked = {ack.envelope_id for ack in delivery.acks}
        # The first of them is what somebody did; the others are what Darkroom's own posts brought about.
        return any(e["envelope_id"] in acked for e in list(delivery.sent)[self.before.envelopes :][:1])

    @property
    def openings(self) -> list[Message]:
        """What opened a direct message, so that a picture could come there."""
        return [m for m in self.messages if "opening:" in str(m.metadata)]

    def holds(self, *outcomes: str) -> None:
        """Every promise about turns and money; *outcomes* are how a turn may have ended."""
        self.stage.ledger.adds_up()
        self.stage.ledger.holds_nothing()
        for turn in self.turns:
            facts = dict(turn)
            assert turn["state"] == "ended", facts
            assert turn["outcome"] in outcomes, facts
            assert turn["told_at"] is not None, facts
        self._money_is_right()
        self._pictures_are_shown_once()
        self._nothing_is_left()
        self._doubts_are_told()

    def _money_is_right(self) -> None:
        billed = {c.response_id: _billed(c) for c in self.calls if c.billed and c.endpoint == RESPONSES}
        nameless = Counter(_billed(c) for c in self.calls if c.billed and c.endpoint != RESPONSES)
        sent = [row for row in self.attempts if row["dispatched_at"] is not None]
        assert len(self.calls) <= len(sent), "more was asked of the API than the books know"
        paid = {row["response_id"]: row for row in sent if row["state"] in ("settled", "uncertain")}
        for row in sent:
            if row["state"] == "settled" and row["response_id"] in billed:
                assert row["charged_nano_usd"] == billed.pop(row["response_id"]), dict(row)
            elif row["state"] == "settled" and row["response_id"] is None:
                assert nameless[row["charged_nano_usd"]] > 0, dict(row)
                nameless[row["charged_nano_usd"]] -= 1
        doubts = [row for row in paid.values() if row["state"] == "uncertain"]
        unnamed = [row for row in self.attempts if row["state"] == "uncertain"]
        left = [*billed.values(), *nameless.elements()]
        assert len(left) <= len(unnamed), ("bought, and in nobody's books", billed, nameless, doubts)
        charged = sum(row["charged_nano_usd"] for row in unnamed)
        assert sum(left) <= charged, "an uncertain hold is less than what was billed"

    def _pictures_are_shown_once(self) -> None:
        made = Counter(
            row["turn_id"]
            for row in self.stage.ledger.rows("SELECT turn_id FROM pictures WHERE deleted_at IS NULL")
            if row["turn_id"] not in self.before.turns
        )
        brought_home = {
            row["id"]: row["turn_id"]
            for row in self.stage.ledger.rows(
                "SELECT shares.id, turn_id FROM shares JOIN pictures ON pictures.id = picture_id"
            )
        }
        shown: Counter[str] = Counter()
        messages = [m for m in self.messages if _images(m) and m.user == self.stage.workspace.bot_user_id]
        for message in messages:
            assert message.metadata is not None
            post = message.metadata["event_payload"]["turn_id"]
            shown[brought_home.get(post, post)] += _images(message)
        assert shown == made, ("each picture once, and none too many", shown, made)
        assert len(messages) == len(made), "one message for all of a turn's pictures"
        store = BlobStore(self.stage.data_dir / PICTURES_NAME)
        for row in self.stage.ledger.rows("SELECT * FROM pictures WHERE deleted_at IS NULL"):
            if row["turn_id"] in made:
                data = store.path_of(row["sha256"], row["format"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == row["sha256"]

    def _nothing_is_left(self) -> None:
        us = self.stage.workspace.bot_user_id
        assert not [m.text for m in self.messages if "Working on it" in m.text]
        assert not [m.text for m in _everything(self.stage) if us in m.reactions.get("eyes", [])]
        roots = {
            m.ts
            for m in self.messages
            if m.user == us and not m.is_reply and not _images(m) and m not in self.openings
        }
        with_words = ("pictures", "words")
        opened = {t["placeholder_ts"] for t in self.turns if t["opens_thread"] and t["outcome"] in with_words}
        assert roots <= opened, ("a placeholder stands", [m.text for m in self.messages if m.ts in roots])

    def _doubts_are_told(self) -> None:
        lost = [row for row in self.turns if row["outcome"] == "uncertain"]
        listed = self.stage.ledger.rows("SELECT * FROM journal WHERE kind = 'uncertain'")
        for turn in lost:
            mine = {row["id"] for row in self.attempts if row["turn_id"] == turn["id"]}
            assert any(entry["attempt_id"] in mine for entry in listed), dict(turn)
        assert not lost or self.told_privately > 0, "nobody was told that it is uncertain"


def _everything(stage: Stage) -> list[Message]:
    return [m for channel in stage.workspace.channels.values() for m in channel.messages.values()]


def _private(stage: Stage) -> int:
    people = (stage.town.alice, stage.town.bob, stage.town.carol)
    return sum(len(person.private()) for person in people)


def _images(message: Message) -> int:
    return sum(block["type"] == "image" for block in message.blocks)


def _billed(call: Call) -> int:
    """What the API bills for a call, in nano-dollars, at the API's own prices."""
    return sum(tokens * _price(name, call) for name, tokens in call.billed.items())


def _price(name: str, call: Call) -> int:
    prices = host_prices(call.asked.host) if name.startswith("host_") else image_prices(call.asked.model)
    return prices[name]
