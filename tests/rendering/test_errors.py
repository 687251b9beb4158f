"""What the API's refusals mean, by their code."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from darkroom.rendering import errors
from darkroom.rendering.job import Billed, Candidate, Concern, Endpoint, Failure, FailureKind
from storage.blobs import BlobStore
from tests.rendering.support import (
    FIXTURES,
    JOB,
    Script,
    Scripted,
    created,
    ended,
    nobody,
    renderer,
    sse,
)

CASES: dict[str, Any] = json.loads((FIXTURES / "errors.json").read_text())
KIND = FailureKind
HOST = Concern.HOST
EXPECTED = {
    "moderation_blocked_images_400": (KIND.MODERATION, 400),
    "retired_model_images_400": (KIND.MODEL_GONE, 400),
    "bad_size_legacy_400": (KIND.BAD_REQUEST, 400),
    "bad_size_v2_variants_400": (KIND.BAD_REQUEST, 400),
    "invalid_image_file_400": (KIND.BAD_REQUEST, 400),
    "input_fidelity_400": (KIND.BAD_REQUEST, 400),
    "transparent_unsupported_400": (KIND.BAD_REQUEST, 400),
    "tools_n_400": (KIND.BAD_REQUEST, 400),
    "stream_needs_partials_400_2025": (KIND.BAD_REQUEST, 400),
    "host_model_without_tool_400": (KIND.ACCESS, 400),
    "org_unverified_403": (KIND.ACCESS, 403),
    "org_unverified_host_404": (KIND.ACCESS, 404),
    "org_unverified_stream_400": (KIND.ACCESS, 400),
    "model_not_found_404": (KIND.MODEL_GONE, 404),
    "invalid_key_401": (KIND.KEY, 401),
    "missing_scope_401": (KIND.KEY, 401),
    "quota_429": (KIND.QUOTA, 429),
    "billing_hard_limit_400": (KIND.QUOTA, 400),
    "ipm_429": (KIND.RATE, 429),
    "previous_response_not_found_400": (KIND.FORGOTTEN, 400),
    "item_not_persisted_404": (KIND.FORGOTTEN, 404),
    "ig_without_reasoning_400": (KIND.BAD_REQUEST, 400),
}
ELSEWHERE = {"_note", "moderation_blocked_in_item", "midstream_error_sse"}


def bodies(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The error bodies of a captured case, some of which were kept in parts."""
    if "body" in case:
        error = case["body"]["error"]
        codes = str(error["code"]).replace(" (older)", "").split(" | ") if error["code"] else [None]
        return [{"error": error | {"code": code}} for code in codes]
    parts = {name: case.get(name) for name in ("type", "param", "code")}
    return [{"error": parts | {"message": text}} for text in case.get("messages", [case.get("message")])]


def test_every_captured_body_is_expected_here() -> None:
    """A case that is added to the fixtures needs an answer."""
    assert set(EXPECTED) | ELSEWHERE == set(CASES)


@pytest.mark.parametrize("name", EXPECTED)
async def test_captured_refusals(blobs: BlobStore, name: str) -> None:
    """Through the real client; a refusal with a 4xx cost nothing."""
    kind, status = EXPECTED[name]
    assert CASES[name].get("status", status) == status
    for body in bodies(CASES[name]):
        transport = Scripted(Script.json(body, status))
        answer = await renderer(transport, blobs).render(JOB, nobody)
        assert answer.failure is not None
        assert (answer.failure.kind, answer.failure.billed) == (kind, Billed.NOTHING)
        assert answer.failure.code == (body["error"]["code"] or f"http_{status}")
        assert answer.request_id == "req_1"
        assert len(transport.requests) == 1


RESPONSES = Candidate(Endpoint.RESPONSES, "gpt-image-2-2026-04-21", "gpt-5.6-luna")
IMAGES = Candidate(Endpoint.IMAGES, "gpt-image-2-2026-04-21", "")
OTHERS = Candidate(Endpoint.RESPONSES, "flux-9", "paint-host-2026-01-01")
UNVERIFIED = "Your organization must be verified to"


@pytest.mark.parametrize(
    ("asked", "status", "error", "concerns"),
    [
        (RESPONSES, 403, {"message": f"{UNVERIFIED} use the model `gpt-image-2`."}, Concern.IMAGE_MODEL),
        (
            RESPONSES,
            404,
            {"code": "model_not_found", "message": f"{UNVERIFIED} use the model `gpt-5`."},
            HOST,
        ),
        (RESPONSES, 404, {"code": "model_not_found", "message": "The model `gpt-5.6-luna` does not"}, HOST),
        (
            RESPONSES,
            404,
            {"code": "model_not_found", "message": "The model `gpt-image-2` does"},
            Concern.IMAGE_MODEL,
        ),
        (
            RESPONSES,
            400,
            {"code": "unsupported_value", "param": "stream", "message": f"{UNVERIFIED} stream this model."},
            HOST,
        ),
        (RESPONSES, 400, {"code": "invalid_value", "param": "model", "message": "No."}, HOST),
        (
            RESPONSES,
            400,
            {"code": "invalid_value", "param": "tools[0].model", "message": "No."},
            Concern.IMAGE_MODEL,
        ),
        (
            RESPONSES,
            400,
            {"param": "tools", "message": "Hosted tool 'image_generation' is not supported with gpt-4.o."},
            HOST,
        ),
        (RESPONSES, 404, {"message": "Invalid URL (POST /v1/responses)"}, Concern.ENDPOINT),
        (RESPONSES, 405, {}, Concern.ENDPOINT),
        (RESPONSES, 403, {"message": "Missing scopes: api.responses.write."}, Concern.ENDPOINT),
        (RESPONSES, 404, {"code": "model_not_found", "message": ""}, Concern.IMAGE_MODEL),
        (
            OTHERS,
            404,
            {"code": "model_not_found", "message": "The model `flux-9` is not"},
            Concern.IMAGE_MODEL,
        ),
        (OTHERS, 404, {"code": "model_not_found", "message": "The model `paint-host` is not"}, HOST),
        (IMAGES, 403, {"message": f"{UNVERIFIED} use the model `gpt-image-2`."}, Concern.IMAGE_MODEL),
        (
            IMAGES,
            400,
            {"code": "invalid_value", "param": "model", "message": "The model 'dall-e-3' does not exist."},
            Concern.IMAGE_MODEL,
        ),
        (IMAGES, 404, {"message": "Invalid URL (POST /v1/images/generations)"}, Concern.ENDPOINT),
        (RESPONSES, 400, {"code": "moderation_blocked", "message": "The model `gpt-5` says no."}, None),
        (RESPONSES, 429, {"code": "rate_limit_exceeded", "message": "The model `gpt-5` is busy."}, None),
    ],
)
def test_a_refusal_of_access_says_what_it_is_about(
    asked: Candidate, status: int, error: dict[str, Any], concerns: Concern | None
) -> None:
    """The image model, its host, or the endpoint; nothing where it is not access that is refused."""
    assert errors.of_status(status, {"error": error}, {}, asked).concerns == concerns


NAMES = st.from_regex(r"[a-z][a-z0-9.]{1,12}(-[a-z0-9.]{1,8}){0,3}", fullmatch=True)
DAYS = st.sampled_from(["", "-2026-04-21", "-2025-12-31"])
SAYING = st.sampled_from(
    [
        "The model `{}` does not exist or you do not have access to it.",
        "Your organization must be verified to use the model `{}`. Please go to: …",
        "The model '{}' does not exist.",
    ]
)


@given(image=NAMES, host=NAMES, asked_as=DAYS, said_as=DAYS, saying=SAYING, about_the_host=st.booleans())
def test_whatever_the_models_are_called_the_one_that_is_named_is_meant(
    image: str, host: str, asked_as: str, said_as: str, saying: str, about_the_host: bool
) -> None:
    """With the day of a snapshot, another day's, or none."""
    assume(image != host)
    asked = Candidate(Endpoint.RESPONSES, image + asked_as, host + asked_as)
    error = {
        "code": "model_not_found",
        "message": saying.format((host if about_the_host else image) + said_as),
    }
    failure = errors.of_status(404, {"error": error}, {}, asked)
    assert failure.concerns is (HOST if about_the_host else Concern.IMAGE_MODEL)


async def test_what_is_said_in_a_stream_is_about_the_same(blobs: BlobStore) -> None:
    """An error event, and the error of a response that failed; by the names of the call itself."""
    said = {"code": "model_not_found", "message": "The model `paint-host-2026-01-01` does not exist."}
    for events in (
        [created(), {"type": "error", **said}],
        [created(), {"type": "error", "error": said}],
        [created(), ended("failed", error=said, usage=None, tool_usage=None)],
    ):
        transport = Scripted(Script([sse(events)]))
        answer = await renderer(transport, blobs).render(replace(JOB, candidate=OTHERS), nobody)
        assert answer.failure is not None
        assert (answer.failure.kind, answer.failure.concerns) == (KIND.MODEL_GONE, HOST)


def test_a_moderated_refusal_says_stage_and_categories() -> None:
    """For the sentence that tells the person."""
    failure = errors.of_status(400, CASES["moderation_blocked_images_400"]["body"], {})
    assert (failure.moderation_stage, failure.moderation_categories) == ("input", ("other",))


def test_the_item_of_a_moderated_picture_says_the_same() -> None:
    """Inside of a stream."""
    failure = errors.of_failed(CASES["moderation_blocked_in_item"]["item"]["error"], usage=True)
    assert (failure.kind, failure.billed) == (KIND.MODERATION, Billed.REPORTED)
    assert (failure.moderation_stage, failure.moderation_categories) == ("output", ("violence",))


def test_a_quota_in_the_middle_of_a_stream() -> None:
    """As it was captured."""
    event = json.loads(CASES["midstream_error_sse"]["events"][0])
    failure = errors.of_event(event)
    assert (failure.kind, failure.billed, failure.code) == (KIND.QUOTA, Billed.NOTHING, "insufficient_quota")


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (403, {"code": "unsupported_country_region_territory", "message": "Not here."}, KIND.REGION),
        (403, {"code": None, "message": "You may not."}, KIND.ACCESS),
        (404, {"code": None, "message": "No such URL."}, KIND.ACCESS),
        (400, {"code": "invalid_value", "param": "tools[0].model", "message": "No."}, KIND.MODEL_GONE),
        (400, {"code": "invalid_value", "param": "tools[0].size", "message": "No."}, KIND.BAD_REQUEST),
        (429, {"code": None, "type": "tokens", "message": "Slow down."}, KIND.RATE),
        (429, {"code": "project_spend_limit_exceeded", "type": "x", "message": ""}, KIND.QUOTA),
        (429, {"code": None, "type": "insufficient_quota", "message": ""}, KIND.QUOTA),
        (
            400,
            {"code": "unsupported_parameter", "param": "previous_response_id", "message": ""},
            KIND.FORGOTTEN,
        ),
        (400, {"code": "brand_new_code", "message": ""}, KIND.BAD_REQUEST),
        (422, {}, KIND.BAD_REQUEST),
    ],
)
def test_the_code_decides_and_the_status_only_without_one(
    status: int, error: dict[str, Any], kind: FailureKind
) -> None:
    """Whatever type says."""
    failure = errors.of_status(status, {"error": error}, {})
    assert (failure.kind, failure.billed) == (kind, Billed.NOTHING)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
@pytest.mark.parametrize("body", [None, "<html>Bad gateway</html>", {"error": {"code": "server_error"}}, []])
def test_a_server_error_leaves_the_money_open(status: int, body: object) -> None:
    """It may have come from anywhere on the way."""
    failure = errors.of_status(status, body, {})
    assert (failure.kind, failure.billed) == (KIND.SERVER, Billed.UNKNOWN)
    assert failure.code in (f"http_{status}", "server_error")


@pytest.mark.parametrize(
    ("message", "headers", "seconds"),
    [
        ("Please try again in 12s. Visit", {}, 12.0),
        ("Please try again in 1.5s.", {}, 1.5),
        ("Please try again in 250ms.", {}, 0.25),
        ("try again in 1m30s", {}, 90.0),
        ("try again in 6m0s", {}, 360.0),
        ("try again in 20m", {}, 600.0),
        ("try again in 2h3m1s", {}, 600.0),
        ("try again in 12s", {"retry-after": "30"}, 30.0),
        ("", {"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ("", {"retry-after": "Fri, 20 Nov 2026 10:00:00 GMT"}, None),
        ("try again in 3s", {"retry-after": "-1"}, 3.0),
        ("", {"retry-after": "999999999"}, 600.0),
        ("try again in a while", {}, None),
        ("", {}, None),
    ],
)
def test_how_long_to_wait(message: str, headers: dict[str, str], seconds: float | None) -> None:
    """The header counts before the words; nobody waits longer than ten minutes."""
    assert errors.retry_after(message, headers) == seconds
    body = {"error": {"code": "rate_limit_exceeded", "message": message}}
    assert errors.of_status(429, body, headers).retry_after_s == seconds


def test_only_a_rate_limit_says_how_long_to_wait() -> None:
    """A header on another refusal means nothing."""
    assert errors.of_status(401, {"error": {}}, {"retry-after": "5"}).retry_after_s is None


@pytest.mark.parametrize(
    "key", ["sk-abc123DEF456", "sk-proj-a_b-c", "sk-abc***xyz", "Bearer abc.def", "sess-1234567"]
)
def test_keys_do_not_get_into_messages(key: str) -> None:
    """The API repeats part of a wrong key."""
    failure = errors.of_status(401, {"error": {"message": f"Incorrect API key provided: {key}. Look"}}, {})
    assert key not in failure.message
    assert failure.message.startswith("Incorrect API key provided: [key]")
    assert failure.message.endswith("Look")


def test_messages_are_short() -> None:
    """Whatever a server sends, also as plain text."""
    assert len(errors.of_status(400, {"error": {"message": "x" * 9_999}}, {}).message) == 500
    assert len(errors.of_status(502, "y" * 100_000, {}).message) == 500


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "code", "type", "param", "message", "moderation_details", "categories"]
            ),
            inner,
        )
    ),
    max_leaves=10,
)


@given(st.integers(300, 599), ODD, st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2))
def test_nothing_that_a_server_sends_is_too_odd(status: int, body: Any, headers: dict[str, str]) -> None:
    """Every answer becomes a failure, and below 500 it never costs anything."""
    failure = errors.of_status(status, body, headers)
    assert (failure.billed is Billed.NOTHING) == (status < 500)
    assert isinstance(errors.of_failed(body, usage=False), Failure)
    if isinstance(body, dict):
        assert isinstance(errors.of_event(body), Failure)


def test_a_prompt_that_the_host_model_flags_is_a_matter_of_moderation() -> None:
    error = {"code": "invalid_prompt", "message": "Your prompt was flagged", "type": "invalid_request_error"}
    failure = errors.of_status(400, {"error": error}, {})
    assert (failure.kind, failure.billed) == (FailureKind.MODERATION, Billed.NOTHING)


@pytest.mark.parametrize("value", ["sk-proj-abc123", "a sentence of words", "", None, 7])
def test_what_may_quote_what_was_sent_is_no_name(value: object) -> None:
    """A name is logged and stored."""
    assert errors.name(value) is None
    assert errors.name("invalid_api_key") == "invalid_api_key"
