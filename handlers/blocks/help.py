"""What may be said behind ``/spend``: a screen for everybody, and one more for admins."""

from __future__ import annotations

from handlers.blocks.text import View, section

_FOR_ADMINS = (
    (
        "Look",
        (
            ("team last month", "everybody's spend; `report last month` sends it all"),
            ("@anna last month", "one person's; `#design` one channel's"),
            (
                "caps",
                "defaults and exceptions; `grants`, `models`, `history`, `alerts`, `uncertain`, `pilot`",
            ),
        ),
    ),
    (
        "Money",
        (
            (
                "cap @anna 20 month",
                "or `week`, `day`; or `#design`, `team`, `default`, `default channels`; `none` is no cap",
            ),
            ("cap @anna default", "takes the exception back"),
            (
                "grant @anna 15 until 2026-12-31",
                "extra money, used once; or `#design`, `team`; without a day, until the month ends",
            ),
            ("revoke 3", "takes back what is left of grant 3"),
            ("uncertain correct 3 0.05", "or `accept 3`, `waive 3`: settles what nobody can be sure of"),
        ),
    ),
    (
        "Who may",
        (
            ("block @anna", "and `unblock`; `exempt` and `unexempt` from their own cap"),
            (
                "deny everyone quality high",
                "or `allow`, a person or channel, `model`, `all`; `default` forgets",
            ),
            ("pilot @anna #design", "only these may make pictures; `unpilot @anna`, `pilot off`"),
            ("pause", "nothing new is made until `resume`"),
            ("alerts #darkroom", "where alerts go; `alerts off`: to the admins of the settings"),
        ),
    ),
)
_PERIODS = (
    "A period is `today`, `yesterday`, `this week`, `last week`, `this month`, `last month`, `this year`, "
    "`2026-10`, `2026-10-05` or `2026-10-01..2026-10-31`. An amount is `20`, `20.50` or `20,50`. "
    "Pick people and channels from the list that Slack shows while you type. Changes act "
    "at once, also on requests that wait."
)


def help_view(spend: str, imagine: str, *, admin: bool) -> View:
    """How to ask for spend; to admins also all that they can do."""
    own = f"`{spend}` shows what you have spent, what is held, what is left, and your last pictures."
    if not admin:
        more = f"`{imagine} help` says how to make pictures."
        return View(f"{own} {more}", (section(f"{own}\n{more}"),))
    blocks, spoken = [section(own)], [own]
    for title, commands in _FOR_ADMINS:
        lines = [f"`{spend} {command}` {what}" for command, what in commands]
        blocks.append(section("\n".join([f"*{title}*", *(f"• {line}" for line in lines)])))
        spoken += [f"{title}:", *(f"{line}." for line in lines)]
    blocks.append(section(_PERIODS))
    return View(" ".join([*spoken, _PERIODS]), tuple(blocks))
