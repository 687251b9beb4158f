"""Faults of the image API, its key and the models: each is named, with its remedy, and nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from bot.doctor.api import look_at_address
from bot.doctor.finding import Finding, Grade
from tests.bot.doctor.patient import OffClock, Patient, bad
from tests.bot.doctor.planted import Planted, each, is_named
from tests.bot.doctor.strange import answers, free_port, serving

WARN = Grade.WARN
KEY, ADDRESS = "openai.key", "openai.address"
MODEL = "gpt-image-2-2026-04-21"


def _env(**changes: str | None) -> Any:
    return lambda patient: patient.write_env(**changes)


def _ill(fault: str, **args: Any) -> Any:
    """Plants a fault of the list of models."""
    return lambda patient: patient.ill("openai", "models", fault, **args)


def _flags(**flags: Any) -> Any:
    return lambda patient: patient.flags.update({name.replace("__", "."): flags[name] for name in flags})


def _catalogue(text: str, **flags: Any) -> Any:
    """Plants an operator's file."""

    def plant(patient: Patient) -> None:
        (patient.folder / "own.toml").write_text(text)
        patient.flags["catalogue.file"] = str(patient.folder / "own.toml")
        _flags(**flags)(patient)

    return plant


@each(
    Planted("no key", _env(OPENAI_API_KEY=None), KEY, "OPENAI_API_KEY is missing", "API keys"),
    Planted(
        "an admin key", _env(OPENAI_API_KEY="sk-admin-planted"), KEY, "an admin key", "an OpenAI project"
    ),
    Planted(
        "a token of Slack's", _env(OPENAI_API_KEY="xoxb-1-planted"), KEY, "a token of Slack's", "API keys"
    ),
    Planted(
        "a key for an admin key",
        _env(OPENAI_ADMIN_KEY="sk-proj-planted"),
        "openai.admin_key",
        "no admin key",
        "or unset it",
        WARN,
    ),
    Planted("a key with a space", _env(OPENAI_API_KEY='"sk-1 planted"'), KEY, "characters", "without quotes"),
    Planted("a key that is not taken", _ill("wrong key"), KEY, "invalid_api_key", "Make a new key"),
    Planted("a key that may not do this", _ill("missing scope"), KEY, "Missing scopes", "may read models"),
    Planted("no credit", _ill("out of credit"), "openai.credit", "exceeded your current quota", "Add credit"),
    Planted(
        "a region that is not served",
        _ill("unsupported region"),
        "openai.region",
        "not supported",
        "supported-countries",
    ),
    Planted("an API in trouble", _ill("server error"), "openai.answers", "http_500", "status.openai.com"),
    Planted(
        "a page in its place", _ill("page instead of json"), "openai.answers", "not the API's", "a proxy"
    ),
    Planted("too many questions", _ill("rate limit"), "openai.answers", "Rate limit", "Wait a minute", WARN),
    Planted(
        "an address that is none", _env(OPENAI_BASE_URL="api.openai.com"), ADDRESS, "no address", "Unset it"
    ),
    Planted(
        "a key without encryption",
        _env(OPENAI_BASE_URL="http://api.example.com/v1"),
        ADDRESS,
        "without encryption",
        "Use https",
    ),
    Planted(
        "an address that is not quite the API's",
        lambda patient: patient.write_env(OPENAI_BASE_URL=patient.world.openai_base_url + "/v2"),
        ADDRESS,
        "knows no list of models",
        "https://api.openai.com/v1",
    ),
    Planted(
        "a model that nobody knows",
        _flags(image__fallback=["gpt-image-9"]),
        "image.fallback.catalogue",
        "gpt-image-9 is not in the catalogue",
        "Set image.fallback",
    ),
    Planted(
        "a retired model",
        _flags(image__model="dall-e-3"),
        "image.model.catalogue",
        "dall-e-3 was shut down on 2026-05-12",
        "gpt-image-2.5-flare",
    ),
    Planted(
        "a retired fallback",
        _flags(image__fallback=["gpt-image-1"]),
        "image.fallback.catalogue",
        "gpt-image-1 was shut down",
        "gpt-image-2.5-sunburst",
    ),
    Planted(
        "a host that is no host",
        _flags(image__host_model="gpt-image-2"),
        "image.host_model.catalogue",
        "gpt-image-2 is not in the catalogue",
        "Set image.host_model",
    ),
    Planted(
        "a host without a price",
        _flags(image__host_model="gpt-5"),
        "image.host_model.catalogue",
        "gpt-5 has no price",
        "host_input",
    ),
    Planted(
        "a price of one weak source",
        _flags(image__fallback=["gpt-image-2.6-flare"]),
        "image.fallback.catalogue",
        "third party reading (confidence M)",
        "Compare them",
        WARN,
    ),
    Planted(
        "no fallback",
        _flags(image__fallback=[]),
        "image.fallback.catalogue",
        "there is no fallback",
        "gpt-image-2.5-flare",
        WARN,
    ),
    Planted(
        "the same model twice",
        _flags(image__fallback=[MODEL]),
        "image.fallback.catalogue",
        f"{MODEL} is named twice",
        "another one",
        WARN,
    ),
    Planted(
        "a catalogue that is none",
        _catalogue("[image\n"),
        "catalogue",
        "own.toml",
        "Mend the file that catalogue.file names",
    ),
    Planted(
        "a catalogue that is nowhere",
        _flags(catalogue__file="/nowhere/own.toml"),
        "catalogue",
        "/nowhere/own.toml",
        "Mend the file that catalogue.file names",
    ),
    Planted(
        "a model that the account does not have",
        _catalogue(
            '[image."gpt-image-2.5-flare"]\naliases = ["gpt-image-ours"]\n', image__model="gpt-image-ours"
        ),
        "image.model.access",
        "gpt-image-ours is refused to this account",
        "set image.model",
    ),
)
async def test_a_fault_of_the_api_or_a_model(patient: Patient, planted: Planted) -> None:
    await is_named(patient, planted)


async def test_an_api_that_nobody_can_reach(patient: Patient) -> None:
    patient.write_env(OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1")
    silent = Planted("", lambda _: None, "openai.answers", "cannot be reached", "status.openai.com")
    await is_named(patient, silent)


def test_an_api_of_somebody_else_has_a_contract_of_its_own() -> None:
    found = look_at_address("https://images.example.com/v1")
    assert (found.check, found.grade) == (ADDRESS, WARN)
    assert "images.example.com is not OpenAI: a contract of its own" in found.said
    assert "unset OPENAI_BASE_URL" in found.remedy


@pytest.mark.parametrize("url", [None, "https://api.openai.com/v1", "https://eu.api.openai.com/v1"])
def test_openais_own_addresses_are_known_as_such(url: str | None) -> None:
    found = look_at_address(url)
    assert found.grade is Grade.PASS
    assert "OpenAI's own" in found.said


MODELS = (MODEL, "gpt-image-2.5-flare", "gpt-5.6-luna")


async def _with_models(patient: Patient, *days: date | None, **headers: str) -> list[Finding]:
    """What the doctor says where the API names these days for the models."""
    listed = [
        answers(
            f"/v1/models/{model}",
            200,
            {"id": model, "object": "model", "shutdown_date": day.isoformat() if day else None},
            **headers,
        )
        for model, day in zip(MODELS, days, strict=True)
    ]
    async with serving(*listed) as url:
        patient.write_env(OPENAI_BASE_URL=f"{url}/v1")
        return bad(await patient.looked_at())


async def test_a_day_of_shutdown_that_only_the_api_names(patient: Patient) -> None:
    [found] = await _with_models(patient, date(2099, 1, 1), None, None)
    assert (found.check, found.grade) == ("image.model.access", WARN)
    assert f"for {MODEL} is 2099-01-01, the catalogue's none" in found.said
    assert "set image.model to another model before 2099-01-01" in found.remedy


async def test_a_model_that_the_api_has_shut_down(patient: Patient) -> None:
    [found] = await _with_models(patient, None, None, date(2026, 1, 1))
    assert (found.check, found.grade) == ("image.host_model.access", Grade.FAIL)
    assert "gpt-5.6-luna was shut down on 2026-01-01" in found.said
    assert "Set image.host_model" in found.remedy


async def test_a_model_that_is_about_to_be_shut_down(patient: Patient) -> None:
    today = datetime.now(UTC).date()
    soon = today + timedelta(days=20)
    _catalogue(f'[image."gpt-image-2"]\nshutdown_date = {soon}\nreplacement = "gpt-image-2.5-sunburst"\n')(
        patient
    )
    [found] = await _with_models(patient, soon, None, None)
    assert (found.check, found.grade) == ("image.model.catalogue", WARN)
    assert f"{MODEL} is shut down on {soon}" in found.said
    assert "Set image.model to gpt-image-2.5-sunburst before that" in found.remedy


async def test_an_organisation_that_is_not_verified(patient: Patient) -> None:
    message = f"Your organization must be verified to use the model `{MODEL}`."
    error = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}
    refused = answers(f"/v1/models/{MODEL}", 403, error)
    listed = [answers(f"/v1/models/{model}", 200, {"id": model}) for model in MODELS[1:]]
    async with serving(refused, *listed) as url:
        patient.write_env(OPENAI_BASE_URL=f"{url}/v1")
        [found] = bad(await patient.looked_at())
    assert (found.check, found.grade) == ("image.model.access", Grade.FAIL)
    assert "must be verified" in found.said
    assert "Verify Organization" in found.remedy


async def test_a_model_of_which_the_api_does_not_say_anything_hides_nothing_of_the_others(
    patient: Patient,
) -> None:
    broken = answers(f"/v1/models/{MODEL}", 500, {"error": {"message": "oops", "code": "server_error"}})
    listed = [answers(f"/v1/models/{model}", 200, {"id": model}) for model in MODELS[1:]]
    async with serving(broken, *listed) as url:
        patient.write_env(OPENAI_BASE_URL=f"{url}/v1")
        found = [each for each in await patient.looked_at() if each.check.endswith(".access")]
    graded = [(each.check, each.grade) for each in found]
    assert ("image.model.access", Grade.SKIP) in graded
    assert ("image.host_model.access", Grade.PASS) in graded
    assert "did not say" in found[0].said


@pytest.mark.parametrize(
    ("off", "grade", "said"),
    [
        (timedelta(minutes=10), Grade.FAIL, "minutes ahead of"),
        (-timedelta(minutes=10), Grade.FAIL, "minutes behind"),
        (timedelta(seconds=100), WARN, "seconds ahead of"),
    ],
)
async def test_a_clock_that_is_off(patient: Patient, off: timedelta, grade: Grade, said: str) -> None:
    wrong = Planted(
        "", lambda patient: patient.change(clock=OffClock(off)), "clock", said, "set-ntp true", grade
    )
    await is_named(patient, wrong)


async def test_a_clock_that_only_the_api_has_another_time_for(patient: Patient) -> None:
    then = format_datetime(datetime.now(UTC) - timedelta(hours=3), usegmt=True)
    listed = [answers(f"/v1/models/{model}", 200, {"id": model}) for model in MODELS]
    async with serving(answers("/v1", 404, {}, Date=then), *listed) as url:
        patient.write_env(OPENAI_BASE_URL=f"{url}/v1")
        [found] = bad(await patient.looked_at())
    assert (found.check, found.grade) == ("clock", Grade.FAIL)
    assert "3 hours ahead of the image API's" in found.said
