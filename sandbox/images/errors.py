"""What the API says when it will not: one exception that is an HTTP answer, and the known bodies.

The wordings, types and codes are those seen in public reports of the live API; where only the meaning is
known, the wording is ours and the code is the documented one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
IMAGE_ERROR = "image_generation_user_error"
REQUEST_ERROR = "invalid_request_error"


class Refusal(Exception):
    """An HTTP error answer: `status`, `headers` and the JSON `body` the API would send."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = REQUEST_ERROR,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        details: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        error: Json = {"message": message, "type": type, "param": param, "code": code}
        if details is not None:
            error["moderation_details"] = details
        self.body: Json = {"error": error}


class Dropped(ConnectionError):
    """The connection ends here without a word: the shell must cut it, not answer."""


class NotConnected(Dropped):
    """There is no connection at all: who called has sent nothing, and knows it. `seconds` is how long nobody
    can connect, where this call has been sent all the same because its connection was there."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds


def unknown_parameter(name: str) -> Refusal:
    """400 for a parameter the endpoint does not know; `name` is its path, such as `tools[0].n`."""
    return Refusal(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def missing(name: str) -> Refusal:
    """400 for a parameter that must be there."""
    return Refusal(
        400, f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name
    )


def invalid_value(name: str, value: object, allowed: Sequence[str]) -> Refusal:
    """400 for a value outside its enumeration."""
    listed = ", ".join(f"'{item}'" for item in allowed)
    return Refusal(
        400,
        f"Invalid value: '{value}'. Supported values are: {listed}.",
        code="invalid_value",
        param=name,
    )


def invalid_type(name: str, wanted: str) -> Refusal:
    """400 for a value of the wrong JSON type."""
    return Refusal(400, f"Invalid type for '{name}': expected {wanted}.", code="invalid_type", param=name)


def bad_number(name: str, low: int, high: int, value: object) -> Refusal:
    """400 for a number out of range or not a whole number."""
    return Refusal(
        400,
        f"Invalid '{name}': expected an integer between {low} and {high}, but got {value!r} instead.",
        code="invalid_value",
        param=name,
    )


def too_long(name: str, limit: int, length: int) -> Refusal:
    """400 for a string above its documented length, both in characters."""
    return Refusal(
        400,
        f"Invalid '{name}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead.",
        code="string_above_max_length",
        param=name,
    )


def bad_size(size: str, why: str) -> Refusal:
    """400 for a size no model of the family draws."""
    return Refusal(400, f"Invalid size '{size}'. {why}", type=IMAGE_ERROR, code="invalid_value", param="size")


def bad_picture(position: int) -> Refusal:
    """400 for input picture number `position` (from 1) that is no readable PNG, WebP or JPEG."""
    return Refusal(
        400,
        f"Invalid image file or mode for image {position}, please check your image file.",
        type=IMAGE_ERROR,
        code="invalid_image_file",
        param="",
    )


def bad_mask(why: str) -> Refusal:
    """400 for a mask that is no PNG with alpha of the first picture's size below 4 MB."""
    return Refusal(
        400, f"Invalid mask image. {why}", type=IMAGE_ERROR, code="invalid_image_file", param="mask"
    )


def model_not_found(model: str) -> Refusal:
    """404 for a model that is unknown, shut down, or not ours to use."""
    return Refusal(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
    )


def image_model_gone(model: str) -> Refusal:
    """400 of the Images API for an unknown or retired image model."""
    return Refusal(
        400,
        f"The model '{model}' does not exist.",
        type=IMAGE_ERROR,
        code="invalid_value",
        param="model",
    )


def tool_unsupported(host: str) -> Refusal:
    """400 for a host model that cannot run the image tool."""
    return Refusal(400, f"Hosted tool 'image_generation' is not supported with {host}.", param="tools")


def transparency_unsupported() -> Refusal:
    """400 for a transparent background the model, or the format, cannot give."""
    return Refusal(
        400,
        "Transparent background is not supported for this model",
        type=IMAGE_ERROR,
        code="invalid_value",
        param="background",
    )


def fidelity_unsupported(model: str) -> Refusal:
    """400 for `input_fidelity` with a model that has no such choice."""
    return Refusal(
        400,
        f"The model '{model}' does not support the 'input_fidelity' parameter.",
        type=IMAGE_ERROR,
        code="invalid_input_fidelity_model",
        param="input_fidelity",
    )


def unsupported(param: str, message: str) -> Refusal:
    """400 for two things that do not go together."""
    return Refusal(400, message, type=IMAGE_ERROR, code="invalid_value", param=param)


def previous_response_not_found(response_id: str) -> Refusal:
    """400 for a `previous_response_id` that is unknown, expired, unfinished or was not stored."""
    return Refusal(
        400,
        f"Previous response with id '{response_id}' not found.",
        code="previous_response_not_found",
        param="previous_response_id",
    )


def response_not_found(response_id: str) -> Refusal:
    """404 of `GET` and `DELETE /v1/responses/{id}`."""
    return Refusal(404, f"Response with id '{response_id}' not found.")


def item_not_persisted(item_id: str) -> Refusal:
    """404 for an item named by an id the API no longer has."""
    return Refusal(
        404,
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. "
        "Try again with `store` set to true, or remove this item from your input.",
        param="input",
    )


def item_without_reasoning(item_id: str, reasoning_id: str) -> Refusal:
    """400 for a picture's item passed without the reasoning item that led to it."""
    return Refusal(
        400,
        f"Item '{item_id}' of type 'image_generation_call' was provided without its required "
        f"'reasoning' item: '{reasoning_id}'.",
        param="input",
    )


def moderation_blocked(stage: str, categories: Sequence[str], request_id: str) -> Refusal:
    """400 of the safety system; `stage` is `input` or `output`."""
    return Refusal(
        400,
        "Your request was rejected by the safety system. If you believe this is an error, contact us at "
        f"help.openai.com and include the request ID {request_id}.",
        type=IMAGE_ERROR,
        code="moderation_blocked",
        details={"moderation_stage": stage, "categories": list(categories)},
    )


def invalid_key(key: str) -> Refusal:
    """401 for a key the API does not accept; only its first letters are repeated."""
    if not key:
        return Refusal(401, "You didn't provide an API key.", code=None)
    return Refusal(
        401,
        f"Incorrect API key provided: {key[:6]}***. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    )


def missing_scope(scope: str) -> Refusal:
    """403 for a key that is good, but not for this."""
    return Refusal(
        403,
        f"You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you have "
        "the correct role in your organization, and if you're using a restricted API key, that it has the "
        "necessary scopes.",
    )


def rate_limited(model: str, limit: int, seconds: int) -> Refusal:
    """429 for more pictures a minute than the tier allows; try again in `seconds`."""
    return Refusal(
        429,
        f"Rate limit reached for {model} (for limit gpt-image) in organization org-sandbox on "
        f"input-images per min: Limit {limit}, Used {limit}, Requested 1. Please try again in {seconds}s. "
        "Visit https://platform.openai.com/account/rate-limits to learn more.",
        type="input-images",
        code="rate_limit_exceeded",
        headers={"retry-after": str(seconds), "x-ratelimit-remaining-images": "0"},
    )
