"""From a row to what it means."""

from __future__ import annotations

import json
import sqlite3

from darkroom.spending.bound import ask_from
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import (
    Attachment,
    Attempt,
    AttemptState,
    InputRole,
    Intent,
    Options,
    PassedOver,
    Picture,
    Request,
    Surface,
    Turn,
    TurnInput,
    TurnState,
)
from storage.times import from_text, maybe_from_text


def turn_from(row: sqlite3.Row) -> Turn:
    """A row of ``turns``."""
    request = Request(
        key=row["key"],
        surface=Surface(row["surface"]),
        team_id=row["team_id"],
        channel_id=row["channel_id"],
        user_id=row["user_id"],
        prompt=row["prompt"],
        order=row["order_key"],
        options=options_from(row),
        thread_ts=None if row["opens_thread"] else row["thread_ts"],
        message_ts=row["asked_ts"],
        reply_url=row["reply_url"],
        attachments=attachments_from(row["attachments"]),
        intent=Intent(row["intent"]),
        wanted=row["wanted"],
        chosen_id=row["chosen_id"],
        fresh=bool(row["fresh"]),
        private=bool(row["private"]),
        inputs_from=row["inputs_from"],
    )
    ending = None
    if row["outcome"] is not None:
        ending = Ending(Outcome(row["outcome"]), Reason(row["reason"]), json.loads(row["details"]))
    return Turn(
        id=row["id"],
        person_key=row["person_key"],
        request=request,
        state=TurnState(row["state"]),
        ending=ending,
        revision=row["revision"],
        parent_id=row["parent_id"],
        thread_ts=row["thread_ts"],
        placeholder_ts=row["placeholder_ts"],
        post_begun_at=maybe_from_text(row["post_begun_at"]),
        message_ts=row["message_ts"],
        placeholder_closed_at=maybe_from_text(row["placeholder_closed_at"]),
        told_at=maybe_from_text(row["told_at"]),
        undelivered_reason=row["undelivered_reason"],
        created_at=from_text(row["created_at"]),
        updated_at=from_text(row["updated_at"]),
        brought_revision=row["brought_revision"],
    )


OPTIONS = "width, height, quality, model, format, background"
"""The columns in which ``turns`` and ``threads`` keep options, in the order of the fields of ``Options``."""


def options_from(row: sqlite3.Row) -> Options:
    """The options of a row of ``turns`` or ``threads``."""
    return Options(
        row["width"], row["height"], row["quality"], row["model"], row["format"], row["background"]
    )


def options_to(
    options: Options,
) -> tuple[int | None, int | None, str | None, str | None, str | None, str | None]:
    """Options as the columns ``OPTIONS`` keep them."""
    return (
        options.width,
        options.height,
        options.quality,
        options.model,
        options.format,
        options.background,
    )


def attachments_from(text: str) -> tuple[Attachment, ...]:
    """What ``attachments_to`` wrote."""
    return tuple(Attachment(*entry) for entry in json.loads(text))


def attachments_to(attachments: tuple[Attachment, ...]) -> str:
    """Attachments as the column keeps them: a JSON list of lists."""
    return json.dumps([[a.file_id, a.name, a.media_type, a.size_bytes] for a in attachments])


def attempt_from(row: sqlite3.Row) -> Attempt:
    """A row of ``attempts``."""
    return Attempt(
        id=row["id"],
        turn_id=row["turn_id"],
        number=row["number"],
        state=AttemptState(row["state"]),
        endpoint=row["endpoint"],
        provider=row["provider"],
        image_model=row["image_model"],
        host_model=row["host_model"],
        width=row["width"],
        height=row["height"],
        quality=row["quality"],
        format=row["format"],
        parent_id=row["parent_id"],
        hold_nano_usd=row["hold_nano_usd"],
        charged_nano_usd=row["charged_nano_usd"],
        bound=bound_from(row["bound"]),
        price_version=row["price_version"],
        response_id=row["response_id"],
        held_at=from_text(row["held_at"]),
        dispatched_at=maybe_from_text(row["dispatched_at"]),
        ended_at=maybe_from_text(row["ended_at"]),
        ask=None if row["ask"] is None else ask_from(json.loads(row["ask"])),
        background=row["background"],
        release_reason=row["release_reason"],
        passed_over=tuple(PassedOver(*each) for each in json.loads(row["passed_over"])),
    )


def passed_over_to(passed_over: tuple[PassedOver, ...]) -> str:
    """What came before a candidate, as the column keeps it."""
    return json.dumps([[each.image_model, each.endpoint, each.why] for each in passed_over])


def input_from(row: sqlite3.Row) -> TurnInput:
    """A row of ``inputs``."""
    return TurnInput(
        role=InputRole(row["role"]),
        sha256=row["sha256"],
        format=row["format"],
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        name=row["name"],
        covers_ppm=row["covers_ppm"],
    )


def bound_to(bound: Cost) -> str:
    """A hold's bound by class, as the column keeps it."""
    return json.dumps({line.token_class: [line.tokens, line.charged_nano_usd] for line in bound.lines})


def bound_from(text: str) -> Cost:
    """What ``bound_to`` wrote."""
    entries = json.loads(text)
    lines = tuple(Line(TokenClass(name), tokens, amount) for name, (tokens, amount) in entries.items())
    return Cost(lines, sum(line.charged_nano_usd for line in lines))


PICTURES = """
    SELECT pictures.*, parent.version AS parent_version
    FROM pictures LEFT JOIN pictures AS parent ON parent.id = pictures.parent_id
        AND (
            (parent.team_id, parent.channel_id, parent.thread_ts)
                = (pictures.team_id, pictures.channel_id, pictures.thread_ts)
            OR EXISTS (
                SELECT 1 FROM shares
                WHERE shares.picture_id = parent.id AND shares.team_id = pictures.team_id
                    AND shares.channel_id = pictures.channel_id AND shares.message_ts = pictures.thread_ts
            )
        )
"""
"""The query whose rows ``picture_from`` reads. Versions are a thread's: of a parent that is shown in another
one, neither made here nor shared here, none is given."""


def picture_from(row: sqlite3.Row) -> Picture:
    """A row of ``PICTURES``."""
    return Picture(
        id=row["id"],
        turn_id=row["turn_id"],
        attempt_id=row["attempt_id"],
        team_id=row["team_id"],
        channel_id=row["channel_id"],
        thread_ts=row["thread_ts"],
        user_id=row["user_id"],
        version=row["version"],
        parent_id=row["parent_id"],
        parent_version=row["parent_version"],
        sha256=row["sha256"],
        format=row["format"],
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        prompt=row["prompt"],
        revised_prompt=row["revised_prompt"],
        image_model=row["image_model"],
        host_model=row["host_model"],
        endpoint=row["endpoint"],
        provider=row["provider"],
        quality=row["quality"],
        response_id=row["response_id"],
        host_tokens=row["host_tokens"],
        chain_pictures=row["chain_pictures"],
        charged_nano_usd=row["charged_nano_usd"],
        flags=tuple(json.loads(row["flags"])),
        seconds=row["seconds"],
        created_at=from_text(row["created_at"]),
        background=row["background"],
        file_id=row["file_id"],
        deleted_at=maybe_from_text(row["deleted_at"]),
    )
