"""What an admin's change means to the model of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.spending import changes
from darkroom.spending.budgets import BudgetKind
from tests.storage.ledger_model import Facts, Given, Scope, scope_of

CAPPED = {
    "person": BudgetKind.PERSON,
    "every person": BudgetKind.PERSON,
    "channel": BudgetKind.CHANNEL,
    "every channel": BudgetKind.CHANNEL,
    "workspace": BudgetKind.WORKSPACE,
}


def cannot(facts: Facts, team: str, change: changes.Change) -> str | None:
    """Why a change must be refused, or None. Of charges, the machine itself knows which there are."""
    if not isinstance(change, changes.RevokeGrant):
        return None
    for given in facts.given:
        if given.number == change.number and given.budget[1] == team:
            if given.revoked:
                return "grant_revoked"
            return "grant_ended" if given.ends_at <= facts.now else None
    return "no_such_grant"


def apply(facts: Facts, team: str, change: changes.Change, after: Mapping[str, Any]) -> None:
    """Let it have happened. *after* is what the journal says of it, for the number of a grant."""
    facts.decided += 1
    match change:
        case changes.SetCap(of, cap, period):
            scope = scope_of(team, of)
            facts.limits[scope] = cap, period or _usual(facts, scope)
        case changes.DropCap(of):
            facts.limits.pop(scope_of(team, of), None)
        case changes.GiveGrant(to, amount, ends_at):
            facts.given.append(Given(int(after["number"]), scope_of(team, to), amount, ends_at))
        case changes.RevokeGrant(number):
            next(given for given in facts.given if given.number == number).revoked = True
        case changes.SetPaused(paused):
            (facts.paused.add if paused else facts.paused.discard)(team)
        case changes.SetAccess():
            _access(facts, scope_of(team, change.to), change)
        case changes.EndPilot():
            facts.standing -= {each for each in facts.standing if each[0] == "pilot" and each[1][1] == team}
        case changes.SetBlocked(person, stands):
            _stand(facts, "blocked", scope_of(team, person), stands)
        case changes.SetExempt(person, stands):
            _stand(facts, "exempt", scope_of(team, person), stands)
        case changes.SetPilot(of, stands):
            _stand(facts, "pilot", scope_of(team, of), stands)
        case _:
            assert isinstance(change, changes.Correct)


def _usual(facts: Facts, scope: Scope) -> Any:
    """How often a scope's cap renews already; being exempt changes nothing of that."""
    kind = CAPPED[scope[0]]
    for each in (scope, (f"every {kind.value}", scope[1])):
        if each in facts.limits:
            return facts.limits[each][1]
    return facts.caps.period


def _stand(facts: Facts, rule: str, scope: Scope, stands: bool) -> None:
    (facts.standing.add if stands else facts.standing.discard)((rule, scope))


def _access(facts: Facts, scope: Scope, change: changes.SetAccess) -> None:
    dimension = change.dimension.value
    if change.allowed is None and not change.values:
        for key in [key for key in facts.rules if key[:2] == (scope, dimension)]:
            del facts.rules[key]
    for value in change.values:
        if change.allowed is None:
            facts.rules.pop((scope, dimension, value), None)
        else:
            facts.rules[scope, dimension, value] = change.allowed
