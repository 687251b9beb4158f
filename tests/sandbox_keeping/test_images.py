"""The image API remembers its conversations, and what it billed, over a restart."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.images.api import ImageApi
from sandbox.images.faults import Fault
from sandbox.images.keeping import ImagesKept
from sandbox.keeping.folder import Folder, Unreadable
from sandbox.keeping.keeper import Keeper
from tests.sandbox_images.support import KEY, quick_api, request

Json = dict[str, Any]
ADMIN = {"authorization": "Bearer sk-admin-test"}


def keep(place: Path, images: ImageApi) -> None:
    """Write it into a folder."""
    folder = Folder(place)
    shelf = folder.shelf()
    folder.write(folder.pack({"images": ImagesKept(images).kept(shelf)}, shelf))


def brought_back(place: Path, **more: Any) -> ImageApi:
    """Another API that has what the folder keeps."""
    images = quick_api(seed=2, **more)
    folder = Folder(place)
    state = folder.read()
    assert state is not None
    ImagesKept(images).restore(state["images"], folder.fetch)
    return images


async def made(images: ImageApi, prompt: str, **more: Any) -> Json:
    """A response that has come to its end."""
    answer = await images.create_response(request(prompt, **more), KEY)
    assert answer.body is not None
    return answer.body


async def bill(images: ImageApi) -> Json:
    """What was billed."""
    answer = await images.organization_costs(ADMIN, {"start_time": str(int(time.time()) - 86_400)})
    assert answer.body is not None
    return {"data": [bucket for bucket in answer.body["data"] if bucket["results"]]}


async def test_a_response_can_be_fetched_and_continued_after_a_restart(tmp_path: Path) -> None:
    images = quick_api()
    first = await made(images, "a red fox in snow")
    keep(tmp_path, images)
    after = brought_back(tmp_path)
    fetched = await after.retrieve_response(first["id"], KEY)
    assert fetched.body == first
    on = await made(after, "make it night", previous_response_id=first["id"])
    same = await made(images, "make it night", previous_response_id=first["id"])
    assert [item.get("result") for item in on["output"]] == [item.get("result") for item in same["output"]]
    assert on["usage"] == same["usage"]


async def test_a_picture_is_one_file_however_often_it_is_spoken_of(tmp_path: Path) -> None:
    images = quick_api()
    first = await made(images, "a red fox in snow")
    keep(tmp_path, images)
    (file,) = (tmp_path / "bytes").iterdir()
    (picture,) = (item["result"] for item in first["output"] if item["type"] == "image_generation_call")
    assert file.read_bytes() == base64.b64decode(picture)
    assert len((tmp_path / "state.json").read_text()) < 10_000


async def test_the_bill_is_as_it_was_and_grows_from_there(tmp_path: Path) -> None:
    images = quick_api()
    await made(images, "a red fox in snow")
    keep(tmp_path, images)
    after = brought_back(tmp_path)
    assert await bill(after) == await bill(images)
    await made(after, "a blue cat")
    assert await bill(after) != await bill(images)


async def test_what_was_deleted_stays_deleted(tmp_path: Path) -> None:
    images = quick_api()
    first = await made(images, "a red fox in snow")
    second = await made(images, "make it night", previous_response_id=first["id"])
    await images.delete_response(first["id"], KEY)
    keep(tmp_path, images)
    after = brought_back(tmp_path)
    assert (await after.retrieve_response(first["id"], KEY)).status == 404
    refused = await after.create_response(request("by day", previous_response_id=second["id"]), KEY)
    told = await images.create_response(request("by day", previous_response_id=second["id"]), KEY)
    assert (refused.status, refused.body) == (told.status, told.body)


async def test_asking_again_gives_another_picture_also_after_a_restart(tmp_path: Path) -> None:
    images = quick_api()
    first = await made(images, "a red fox in snow")
    keep(tmp_path, images)
    again = await made(brought_back(tmp_path), "a red fox in snow")
    assert [i.get("result") for i in first["output"]] != [i.get("result") for i in again["output"]]


async def test_what_ran_when_it_was_stopped_has_failed_and_says_so(tmp_path: Path) -> None:
    images = quick_api()
    images.faults.append(Fault(hang=True))
    answer = await images.create_response(request("a fox", background=True), KEY)
    assert answer.body is not None
    keep(tmp_path, images)
    fetched = await brought_back(tmp_path).retrieve_response(answer.body["id"], KEY)
    assert fetched.body is not None
    assert fetched.body["status"] == "failed"
    assert fetched.body["error"]["code"] == "server_error"
    await images.close()


async def test_bytes_that_are_no_picture_are_kept_as_they_are(tmp_path: Path) -> None:
    images = quick_api()
    images.faults.append(Fault(spoil=lambda data: "not base64 at all!"))
    first = await made(images, "a red fox in snow")
    keep(tmp_path, images)
    assert (await brought_back(tmp_path).retrieve_response(first["id"], KEY)).body == first


def _without_its_output(answer: Json) -> None:
    answer["response"]["output"] = []


def _without_a_status(answer: Json) -> None:
    del answer["response"]["status"]


@pytest.mark.parametrize("spoil", [_without_its_output, _without_a_status])
async def test_a_response_that_does_not_hold_together_is_refused_by_name(tmp_path: Path, spoil: Any) -> None:
    images = quick_api()
    await made(images, "a red fox in snow")
    keep(tmp_path, images)
    file = tmp_path / "state.json"
    state = json.loads(file.read_text())
    spoil(state["images"]["answers"][0])
    file.write_text(json.dumps(state))
    with pytest.raises(Unreadable):
        Keeper(Folder(tmp_path), {"images": ImagesKept(quick_api())}).restore()
