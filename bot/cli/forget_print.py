"""What ``darkroom forget`` says: what there is of somebody, and what came of forgetting them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from darkroom.spending.money import format_usd
from darkroom.turns.erasing import Recall

if TYPE_CHECKING:
    from bot.forgetting import Obstacles, Report
    from darkroom.turns.forgetting import Known, Left, Whom

LISTED_MAX = 20
"""The most things that are named one by one; ``--json`` has all of them."""
_WHAT = {
    Recall.MESSAGE: "message",
    Recall.PLACEHOLDER: "message that opens a thread",
    Recall.FILE: "file",
    Recall.RESPONSE: "stored answer",
}


def plan_lines(whom: Whom, known: Known, obstacles: Obstacles, admins: Sequence[str]) -> list[str]:
    """What there is, what is deleted, and what stays."""
    kinds = Counter(each.kind for each in known.traces)
    messages = kinds[Recall.MESSAGE] + kinds[Recall.PLACEHOLDER]
    lines = [
        f"{_named(whom)}: {_count(known.requests, 'request')}, {_count(known.pictures, 'picture')}, "
        f"{format_usd(known.charged_nano_usd)} charged.",
        _elsewhere(
            "Slack",
            f"{_count(messages, 'message')} and {_count(kinds[Recall.FILE], 'file')}",
            messages + kinds[Recall.FILE],
            obstacles.slack,
        ),
        _elsewhere(
            "OpenAI",
            _count(kinds[Recall.RESPONSE], "stored answer"),
            kinds[Recall.RESPONSE],
            obstacles.openai,
        ),
        "Here: every row, file and copy of them goes. What was charged stays in the books, under a key that "
        "leads nowhere.",
    ]
    if known.open_calls:
        lines.append(
            f"{_count(known.open_calls, 'call')} not finished: what was sent is charged in full, uncertain."
        )
    if known.others:
        lines.append(
            f"{_count(known.others, 'picture')} that others made from theirs: those stay, as others'."
        )
    if whom.user_id in admins:
        lines.append(f"{whom.user_id} is in slack.admins of your settings: take that out yourself.")
    lines.append("Not reached: your backups and logs, and what people wrote to Slack themselves.")
    return lines


def report_lines(report: Report) -> list[str]:
    """What came of it, and what to do about what is left."""
    lines = _left_lines(report.left)
    if report.undone:
        return [
            *lines,
            f"Nothing was deleted here: {report.undone}. What was elsewhere is taken back, but for what is "
            "named above. Look at the disk and its permissions, and run this again.",
        ]
    if not report.done:
        return [
            *lines,
            "Nothing was deleted here yet, because another try may reach the rest. Run it again, or add "
            "--anyway to leave that behind.",
        ]
    removed = _count(report.files_removed, "picture file")
    lines.append(f"Forgotten: {_named(report.whom)}. {removed} removed.")
    return lines + _here_lines(report)


def unscrubbed_line(why: str) -> str:
    """That copies may be left in the files of the database."""
    return (
        f"But copies of what was deleted may stand in the files of the database: {why}. Close whatever has "
        "it open, or make room on the disk, and run this again."
    )


def _here_lines(report: Report) -> list[str]:
    """What is left in the data directory."""
    lines = [unscrubbed_line(report.unscrubbed)] if report.unscrubbed else []
    if report.other_teams:
        teams = ", ".join(report.other_teams)
        lines.append(f"They are known in another workspace too: {teams}. Forget them there with --team.")
    elif report.found.database and not report.unscrubbed:
        lines.append("But the database still names them, which is a fault of Darkroom: please report it.")
    for paths, what in (
        (report.in_vain, "These could not be removed. Mend their permissions, and run this again:"),
        (
            report.found.others,
            "These files still name them. Darkroom does not look after those; delete them yourself:",
        ),
        (report.found.closed, "These files could not be looked into:"),
    ):
        if paths:
            lines += [what, *(f"  {path}" for path in paths)]
    return lines


def as_data(report: Report, obstacles: Obstacles, *, dry_run: bool) -> dict[str, Any]:
    """What ``--json`` prints."""
    whom, known = report.whom, report.known
    kinds = Counter(each.kind for each in known.traces)
    return {
        "found": True,
        "dry_run": dry_run,
        "done": report.done,
        "team_id": whom.team_id,
        "user_id": whom.user_id or None,
        "requests": known.requests,
        "pictures": known.pictures,
        "others": known.others,
        "open_calls": known.open_calls,
        "charged_nano_usd": known.charged_nano_usd,
        "messages": kinds[Recall.MESSAGE] + kinds[Recall.PLACEHOLDER],
        "files": kinds[Recall.FILE],
        "responses": kinds[Recall.RESPONSE],
        "slack": None if obstacles.slack is None else str(obstacles.slack),
        "openai": None if obstacles.openai is None else str(obstacles.openai),
        "left": [
            {
                "kind": each.trace.kind,
                "channel_id": each.trace.channel_id or None,
                "ref": each.trace.ref,
                "why": each.why,
            }
            for each in report.left
        ],
        "files_removed": report.files_removed,
        "undone": report.undone or None,
        "scrubbed": not report.unscrubbed,
        "not_removed": [str(each) for each in report.in_vain],
        "still_in": [str(each) for each in report.found.paths],
        "closed": [str(each) for each in report.found.closed],
        "other_teams": list(report.other_teams),
    }


def _elsewhere(where: str, what: str, number: int, problem: Exception | None) -> str:
    if not number:
        return f"{where}: nothing that we know of."
    if problem is None:
        return f"{where}: {what} to be deleted."
    return f"{where}: {what} stay there, because {problem}."


def _left_lines(left: Sequence[Left]) -> list[str]:
    if not left:
        return []
    lines = [f"Still elsewhere ({len(left)}):"]
    for each in left[:LISTED_MAX]:
        place = f" in {each.trace.channel_id}" if each.trace.channel_id else ""
        lines.append(f"  {_WHAT[each.trace.kind]} {each.trace.ref}{place}: {each.why}")
    if len(left) > LISTED_MAX:
        lines.append(f"  and {len(left) - LISTED_MAX} more; --json lists all of them.")
    lines.append(
        "An admin of the workspace can delete messages and files in Slack; OpenAI drops stored answers by "
        "itself after 30 days."
    )
    return lines


def _named(whom: Whom) -> str:
    return f"{whom.user_id} of {whom.team_id}" if whom.user_id else f"workspace {whom.team_id}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
