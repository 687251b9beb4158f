"""Where the Responses endpoint cannot serve, the Images endpoint steps in: with the same model, at its own
price, also for edits; and a thank-you still buys nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import main
from sandbox.images.costs import host_prices, image_prices
from sandbox.images.errors import model_not_found
from sandbox.images.faults import EDITS, GENERATIONS, RESPONSES, Call, Fault
from sandbox.images.mishaps import mishap
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import Town, picture

MODEL, HOST = "gpt-image-2-2026-04-21", "gpt-5.6-luna"
NO_ENDPOINT = Fault(
    RESPONSES, status=404, body={"error": {"message": "Invalid URL (POST /v1/responses)", "code": None}}
)
UNVERIFIED = "Your organization must be verified to use the model `gpt-5.6-luna`. Please go to: …"
NO_HOST = {
    "unverified": Fault(
        RESPONSES, status=404, body={"error": {"message": UNVERIFIED, "code": "model_not_found"}}
    ),
    "gone": Fault(RESPONSES, status=404, body=model_not_found(HOST).body),
    "no streams": mishap("unverified for streams"),
    "no tool": Fault(
        RESPONSES,
        status=400,
        body={
            "error": {
                "message": f"Hosted tool 'image_generation' is not supported with {HOST}.",
                "param": "tools",
                "code": None,
            }
        },
    ),
}


def painted(town: Town) -> list[Call]:
    """The calls that made pictures, by either endpoint."""
    return [call for call in town.images.calls if call.outcome == "picture"]


def refused(town: Town) -> list[Call]:
    """The calls to the Responses endpoint."""
    return [call for call in town.images.calls if call.endpoint == RESPONSES]


def billed(call: Call) -> int:
    """What the API billed for a call, in nano-dollars."""
    prices = {**host_prices(call.asked.host), **image_prices(call.asked.model)}
    return sum(count * prices[name] for name, count in call.billed.items())


def command(town: Town, *arguments: str) -> Any:
    """What ``darkroom`` prints as JSON on the town's data; it must succeed."""
    printed = CliRunner().invoke(main, [*arguments, "--json", "--data-dir", str(town.ledger.data_dir)])
    assert printed.exit_code == 0, printed.output
    return json.loads(printed.output)


def computed_again(town: Town) -> None:
    """All of the town's charges come out the same when they are computed again."""
    found = command(town, "spend", "reprice", "--check")
    assert found["not_as_stored"] == []
    assert [verdict for verdict, count in found["entries"].items() if count] == ["same"]
    assert found["stored_nano_usd"] == town.ledger.charged()


async def test_without_the_responses_endpoint_a_picture_comes_by_the_images_endpoint_at_its_price(
    town: Town,
) -> None:
    """Asked once, told openly; what is shown, charged, reported and computed again is what was billed."""
    town.images.faults.extend([NO_ENDPOINT] * 9)
    thread = await town.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1, price="$0.05"))
    await town.rests()

    assert len(refused(town)) == 1
    (call,) = painted(town)
    assert (call.endpoint, call.asked.model, call.body["n"]) == (GENERATIONS, MODEL, 1)
    assert town.ledger.charged() == billed(call)
    assert town.ledger.attempts() == ["released", "settled"]
    town.ledger.holds_nothing()
    assert "made by the Images endpoint" in json.dumps(message.blocks)

    (row,) = town.ledger.rows("SELECT * FROM pictures")
    assert (row["endpoint"], row["image_model"], row["host_model"]) == ("images", MODEL, "")
    assert (row["response_id"], row["flags"], row["host_tokens"]) == (None, "[]", 0)
    assert thread.file(message).sha256 == row["sha256"]

    (made,) = [each for each in command(town, "spend")["models"] if each["pictures"]]
    assert (made["endpoint"], made["charged_nano_usd"], made["pictures"]) == ("images", billed(call), 1)
    (turn,) = command(town, "turns")
    assert (turn["pictures"][0]["endpoint"], turn["charged_nano_usd"]) == ("images", billed(call))
    computed_again(town)


async def test_details_and_the_admins_report_show_a_call_without_a_host(town: Town) -> None:
    town.images.faults.extend([NO_ENDPOINT] * 9)
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    await town.alice.chooses(await thread.version(1), "Details")
    told = await town.alice.is_told("Endpoint: images", "picture painted: 1,756 tokens")
    assert "conversation" not in told
    await town.carol.types("/spend report this month")
    assert "images" in await town.carol.is_told("gpt-image-2", "spent")


@pytest.mark.parametrize("name", NO_HOST)
async def test_a_host_that_may_not_be_used_is_done_without(town: Town, name: str) -> None:
    """The same image model makes it, and the other models are not asked by way of the same host."""
    town.images.faults.extend([NO_HOST[name]] * 9)
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    assert len(refused(town)) == 1
    (call,) = painted(town)
    assert (call.endpoint, call.asked.model) == (GENERATIONS, MODEL)
    assert town.ledger.charged() == billed(call)


async def test_an_image_model_that_may_not_be_used_is_replaced_by_the_next_and_not_by_the_endpoint(
    town: Town,
) -> None:
    town.images.faults.append(mishap("unverified organisation"))
    thread = await town.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1))
    assert "made with gpt-image-2.5-flare, cheaper" in json.dumps(message.blocks)
    await town.rests()
    (call,) = painted(town)
    assert (call.endpoint, call.asked.model) == (RESPONSES, "gpt-image-2.5-flare")


async def test_a_change_in_the_thread_sends_the_saved_picture_and_a_thank_you_buys_nothing(
    town: Town,
) -> None:
    """Whatever conversation its picture was made in."""
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    before = town.ledger.charged()
    town.images.faults.extend([NO_ENDPOINT] * 20)

    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    edit = painted(town)[-1]
    assert (edit.endpoint, edit.asked.prompt) == (EDITS, "make it night")
    assert edit.asked.pictures == (thread.sha256(1),)
    assert edit.asked.parent is None
    assert town.ledger.charged() == before + billed(edit)
    assert (await thread.version(2)).came_from == (2, 1)

    await town.alice.replies(thread, "make it blue")
    await thread.shows(picture(version=3))
    await town.rests()
    again = painted(town)[-1]
    assert (again.endpoint, again.asked.pictures) == (EDITS, (thread.sha256(2),))

    charged = town.ledger.charged()
    await town.alice.replies(thread, "thanks")
    await town.rests()
    assert town.ledger.charged() == charged
    assert len(painted(town)) == 3
    town.ledger.holds_nothing()
    computed_again(town)


async def test_when_the_conversation_is_back_it_goes_on_from_a_picture_of_the_images_endpoint(
    towns: OpenTown,
) -> None:
    """By its saved bytes; the conversation has never heard of it."""
    town = await towns()
    town.images.faults.append(NO_ENDPOINT)
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    await town.restarts()
    await town.alice.replies(thread, "make it night")
    await thread.shows(picture(version=2))
    await town.rests()
    call = painted(town)[-1]
    assert call.endpoint == RESPONSES
    assert (call.asked.parent, call.asked.pictures) == (None, (thread.sha256(1),))
    assert town.ledger.charged() == sum(billed(each) for each in painted(town))
    computed_again(town)


async def test_usage_that_is_missing_is_estimated_and_flagged_without_a_word_about_a_host(
    town: Town,
) -> None:
    town.images.faults.extend([NO_ENDPOINT, Fault(GENERATIONS, omit_usage=True)])
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    (row,) = town.ledger.rows("SELECT * FROM pictures")
    assert json.loads(row["flags"]) == ["estimated"]
    assert town.ledger.charged() >= 1_756 * 30_000
    computed_again(town)


async def test_a_connection_lost_on_the_images_endpoint_is_uncertain_and_never_sent_again(
    town: Town,
) -> None:
    """There is nobody to ask what became of it."""
    town.images.faults.extend([NO_ENDPOINT, Fault(GENERATIONS, drop_after=0)])
    await town.alice.types("/imagine a red fox in snow")
    await town.rests()
    assert town.ledger.turns() == [("uncertain", "uncertain")]
    assert town.ledger.attempts() == ["released", "uncertain"]
    assert [call.endpoint for call in town.images.calls] == [RESPONSES, GENERATIONS]
    assert town.ledger.charged() >= billed(town.images.calls[-1])
    town.ledger.holds_nothing()
