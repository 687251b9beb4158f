"""What is remembered between responses."""

import base64
import hashlib

from sandbox.images.api import ImageApi
from sandbox.images.painter import Order
from tests.sandbox_images.support import (
    KEY,
    Json,
    ask,
    data_url,
    message,
    png,
    quick,
    quick_api,
    refusal,
    request,
)


def picture_of(response: Json) -> bytes:
    """The picture of a response."""
    return base64.b64decode(response["output"][1]["result"])


def watched() -> tuple[list[Order], ImageApi]:
    """An API, and the orders its painter gets."""
    orders: list[Order] = []

    def paint(order: Order) -> bytes:
        orders.append(order)
        return quick(order)

    return orders, quick_api(paint=paint)


async def test_an_edit_is_painted_from_the_picture_before() -> None:
    orders, api = watched()
    first = await ask(api)
    second = await ask(api, "make it night", previous_response_id=first["id"])
    third = await ask(api, "add a moon", previous_response_id=second["id"])
    assert [order.parents for order in orders] == [(), (picture_of(first),), (picture_of(second),)]
    assert [r["output"][1]["action"] for r in (first, second, third)] == ["generate", "edit", "edit"]


async def test_a_picture_stays_in_sight_over_an_answer_in_words() -> None:
    orders, api = watched()
    first = await ask(api)
    words = await ask(api, "what is it?", previous_response_id=first["id"], tool_choice="auto")
    await ask(api, "make it blue", previous_response_id=words["id"])
    assert "a red fox in snow" in words["output"][-1]["content"][0]["text"]
    assert orders[-1].parents == (picture_of(first),)


async def test_a_sent_picture_is_the_one_to_edit() -> None:
    orders, api = watched()
    sent = png(1024, 1024)
    await ask(api, message("make it night", sent))
    assert orders[0].parents == (sent,)


async def test_what_is_sent_along_is_added_to_the_picture_of_the_conversation() -> None:
    orders, api = watched()
    first = await ask(api)
    sent = png(512, 512)
    await ask(api, message("use these colours", sent), previous_response_id=first["id"])
    assert orders[-1].parents == (picture_of(first), sent)


async def test_a_new_picture_is_asked_for_by_action_or_by_words() -> None:
    api = quick_api()
    first = await ask(api)
    for fields in ({"tool": {"action": "generate"}}, {"prompt": "imagine a boat"}):
        response = await ask(api, previous_response_id=first["id"], **fields)
        assert response["output"][1]["action"] == "generate"


async def test_an_edit_with_automatic_size_keeps_the_size() -> None:
    api = quick_api()
    first = await ask(api, tool={"size": "1536x1024"})
    second = await ask(api, "make it night", previous_response_id=first["id"], tool={"size": "auto"})
    assert second["output"][1]["size"] == "1536x1024"


async def test_what_was_forgotten_or_not_stored_cannot_be_continued_or_fetched() -> None:
    api = quick_api()
    kept = await ask(api)
    unstored = await ask(api, store=False)
    api.forget(kept["id"])
    for response in (kept, unstored):
        status, error = await refusal(api, previous_response_id=response["id"])
        assert (status, error["code"]) == (400, "previous_response_not_found")
        assert error["message"] == f"Previous response with id '{response['id']}' not found."
        assert (await api.retrieve_response(response["id"], KEY)).status == 404


async def test_forgetting_everything_forgets_everything() -> None:
    api = quick_api()
    ids = [(await ask(api))["id"] for _ in range(3)]
    api.forget()
    assert [(await api.retrieve_response(id, KEY)).status for id in ids] == [404] * 3


async def test_a_stored_response_can_be_fetched_and_deleted() -> None:
    api = quick_api()
    response = await ask(api)
    assert (await api.retrieve_response(response["id"], KEY)).body == response
    assert (await api.delete_response(response["id"], KEY)).status == 200
    assert (await api.retrieve_response(response["id"], KEY)).status == 404


async def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    api = quick_api(keep_responses=2)
    ids = [(await ask(api))["id"] for _ in range(3)]
    assert [(await api.retrieve_response(id, KEY)).status for id in ids] == [404, 200, 200]


async def test_memory_is_bounded_in_characters_too() -> None:
    api = quick_api(keep_characters=10)
    ids = [(await ask(api))["id"] for _ in range(2)]
    assert [(await api.retrieve_response(id, KEY)).status for id in ids] == [404, 200]


async def test_a_picture_item_without_its_reasoning_is_refused() -> None:
    api = quick_api()
    first = await ask(api)
    reasoning, image = first["output"][0]["id"], first["output"][1]["id"]
    alone = [{"type": "image_generation_call", "id": image}, *message("make it night")]
    status, error = await refusal(api, alone)
    assert (status, error["message"]) == (
        400,
        f"Item '{image}' of type 'image_generation_call' was provided without its required "
        f"'reasoning' item: '{reasoning}'.",
    )
    both = await ask(api, [{"type": "reasoning", "id": reasoning, "summary": []}, *alone])
    assert both["output"][1]["action"] == "edit"
    status, error = await refusal(api, [{"type": "image_generation_call", "id": "ig_x"}])
    assert (status, error["message"].split(".")[0]) == (404, "Item with id 'ig_x' not found")


async def test_asking_the_same_again_draws_another_picture_and_a_seed_repeats_both() -> None:
    async def twice() -> list[Json]:
        api = quick_api(seed=7)
        return [await ask(api, store=True) for _ in range(2)]

    one, other = await twice(), await twice()
    assert picture_of(one[0]) != picture_of(one[1])
    assert [r["id"] for r in one] == [r["id"] for r in other]
    assert [picture_of(r) for r in one] == [picture_of(r) for r in other]


async def test_the_record_of_a_call_has_the_picture_as_a_fingerprint_and_no_key() -> None:
    api = quick_api()
    sent = png()
    body = request(message("make it night", sent))
    await api.create_response(body, {**KEY, "user-agent": "test"})
    call = api.calls[-1].as_dict()
    digest = hashlib.sha256(sent).hexdigest()
    assert (
        call["body"]["input"][0]["content"][1]["image_url"]
        == f"data:image/png;sha256={digest};bytes={len(sent)}"
    )
    assert call["headers"] == {"user-agent": "test"}
    assert "sk-test" not in str(call)
    assert body["input"][0]["content"][1]["image_url"] == data_url(sent)


async def test_what_was_built_on_a_deleted_response_cannot_be_continued() -> None:
    api = quick_api()
    first = await ask(api)
    second = await ask(api, "make it night", previous_response_id=first["id"])
    third = await ask(api, "add a moon", previous_response_id=second["id"])
    await api.delete_response(second["id"], KEY)
    status, error = await refusal(api, previous_response_id=third["id"])

    assert (status, error["code"]) == (400, "previous_response_not_found")
    assert (await api.retrieve_response(third["id"], KEY)).status == 200
    assert (await api.delete_response(second["id"], KEY)).status == 404
    assert (await ask(api, "add a sun", previous_response_id=first["id"]))["status"] == "completed"


async def test_the_gist_of_a_call_names_parent_pictures_mask_and_options() -> None:
    api = quick_api()
    first = await ask(api)
    pictures = [png(1024, 1024), png(30, 20)]
    mask = png(1024, 1024, "RGBA")
    tool = {"input_image_mask": {"image_url": data_url(mask)}, "quality": "high"}
    known = {"previous_response_id": first["id"], "safety_identifier": "person-1"}
    await ask(api, message("a hat", *pictures), tool=tool, **known)
    asked = api.calls[-1].asked

    assert (asked.prompt, asked.parent, asked.safety_identifier) == ("a hat", first["id"], "person-1")
    assert asked.pictures == tuple(hashlib.sha256(picture).hexdigest() for picture in pictures)
    assert asked.mask == hashlib.sha256(mask).hexdigest()
    assert (asked.host, asked.model, asked.size, asked.quality, asked.background) == (
        "gpt-5.6-luna",
        "gpt-image-2",
        "1024x1024",
        "high",
        None,
    )
    assert (api.calls[0].asked.pictures, api.calls[0].asked.mask, api.calls[0].asked.parent) == (
        (),
        None,
        None,
    )


async def test_the_gist_of_an_images_call_has_the_same_fields() -> None:
    api = quick_api()
    picture, mask = png(1024, 1024), png(1024, 1024, "RGBA")
    body = {"model": "gpt-image-2", "prompt": "a hat", "image": [picture], "mask": mask, "size": "1024x1024"}
    assert (await api.edit_images(body, KEY)).status == 200
    asked = api.calls[-1].asked

    assert (asked.prompt, asked.model, asked.host) == ("a hat", "gpt-image-2", None)
    assert asked.pictures == (hashlib.sha256(picture).hexdigest(),)
    assert asked.mask == hashlib.sha256(mask).hexdigest()


async def test_a_mask_fits_the_picture_before_when_none_is_sent() -> None:
    api = quick_api()
    first = await ask(api)
    for mask, previous, allowed in (
        (png(1024, 1024, "RGBA"), first["id"], True),
        (png(512, 1024, "RGBA"), first["id"], False),
        (png(1024, 1024, "RGBA"), None, False),
    ):
        tool = {"input_image_mask": {"image_url": data_url(mask)}}
        body = request("a hat", tool=tool) | ({"previous_response_id": previous} if previous else {})
        assert (await api.create_response(body, KEY)).status == (200 if allowed else 400)
