"""The doctor as a whole: well, with nothing set up, and beside a running Darkroom."""

from __future__ import annotations

from bot.doctor.finding import Grade
from tests.bot.doctor.patient import Patient, bad


async def test_nothing_is_said_against_a_set_up_in_which_all_is_well(patient: Patient) -> None:
    findings = await patient.looked_at()
    assert bad(findings) == []
    assert [each.check for each in findings if each.grade is Grade.SKIP] == ["openai.rates"]
