"""A fault that is planted, and what the doctor has to say of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.doctor.finding import Grade
from tests.bot.doctor.patient import Patient, bad


@dataclass(frozen=True)
class Planted:
    """*plant* it, and exactly one finding comes of it: with this check and grade, and these words in what is
    said and in the remedy."""

    name: str
    plant: Callable[[Patient], object]
    check: str
    said: str
    remedy: str
    grade: Grade = Grade.FAIL
    findings: int = 1
    """How many of the same check, where one fault has several sides."""


def each(*planted: Planted) -> pytest.MarkDecorator:
    """A test for each of them."""
    assert len({one.name for one in planted}) == len(planted)
    return pytest.mark.parametrize("planted", [pytest.param(one, id=one.name) for one in planted])


async def is_named(patient: Patient, planted: Planted) -> None:
    """Plant it, look, and see that it is named with its remedy, and nothing else is."""
    planting = planted.plant(patient)
    if inspect.isawaitable(planting):
        await planting
    found = bad(await patient.looked_at())
    assert [each.check for each in found] == [planted.check] * planted.findings, found
    assert {each.grade for each in found} == {planted.grade}
    assert planted.said in found[0].said, found[0]
    assert planted.remedy in found[0].remedy, found[0]
