"""Every shape of usage that an answer may carry, as the API's own JSON, and what is charged for it.

The call is one medium 1024x1024 picture of gpt-image-2, hosted by gpt-5.6-luna, unless a case says otherwise.
Amounts are nano-dollars: 5,000 a text token, 8,000 a picture token in, 30,000 out; 200, 20 and 1,200 for the
host's input, cached input and output.
"""

import json
from typing import Any

from darkroom.spending.bound import bound, estimate
from darkroom.spending.catalogue import load_catalogue
from darkroom.spending.classes import TokenClass
from darkroom.spending.cost import (
    BAD_USAGE,
    ESTIMATED,
    MODERATED,
    UNKNOWN_HOST,
    UNKNOWN_MODEL,
    Charged,
    charge,
)
from tests.spending.asks import ask

CATALOGUE = load_catalogue()
LIKELY = estimate(ask(), CATALOGUE)


def settled(text: str, *, picture_made: bool = True, moderated: bool = False, **changes: Any) -> Charged:
    """What the response in *text* is charged; `model` in it is the host that answered."""
    response = json.loads(text)
    painter: dict[str, Any] = next(iter(response.get("tools", [])), {})
    call = ask(**changes)
    return charge(
        response.get("usage"),
        (response.get("tool_usage") or {}).get("image_gen"),
        ask=call,
        catalogue=CATALOGUE,
        image_model=painter.get("model", call.image_model),
        host_model=response.get("model", call.host_model),
        picture_made=picture_made,
        moderated=moderated,
    )


def amounts(charged: Charged) -> dict[str, int]:
    """The charge by class."""
    return {line.token_class.value: line.charged_nano_usd for line in charged.cost.lines}


COMPLETE = """
{
  "model": "gpt-5.6-luna",
  "tools": [{"type": "image_generation", "model": "gpt-image-2-2026-04-21"}],
  "usage": {
    "input_tokens": 2941, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 225, "output_tokens_details": {"reasoning_tokens": 64}, "total_tokens": 3166
  },
  "tool_usage": {
    "image_gen": {
      "input_tokens": 27, "input_tokens_details": {"image_tokens": 0, "text_tokens": 27},
      "output_tokens": 1756, "output_tokens_details": {"image_tokens": 1756, "text_tokens": 0},
      "total_tokens": 1783
    }
  }
}
"""
EXACT = {
    "text_input": 27 * 5_000,
    "image_output": 1_756 * 30_000,
    "host_input": 2_941 * 200,
    "host_output": 225 * 1_200,
}


def test_complete_usage_is_charged_to_the_token() -> None:
    charged = settled(COMPLETE)
    assert amounts(charged) == EXACT
    assert charged.flags == frozenset()
    assert charged.price_version == "gpt-image-2@2026-04-21+gpt-5.6-luna@2026-07-30"


def test_no_usage_at_all_is_charged_at_the_estimate() -> None:
    charged = settled('{"model": "gpt-5.6-luna", "usage": null, "tool_usage": null}')
    assert charged.cost == LIKELY
    assert charged.flags == {ESTIMATED}


def test_a_picture_whose_tool_usage_is_missing_is_not_free() -> None:
    charged = settled('{"usage": {"input_tokens": 2941, "output_tokens": 225}}')
    assert charged.cost.line_of(TokenClass.image_output).tokens == 1_756
    assert amounts(charged)["host_input"] == 2_941 * 200
    assert charged.flags == {ESTIMATED}


def test_tool_usage_without_the_hosts_is_completed_by_the_hosts_estimate() -> None:
    charged = settled(
        '{"tool_usage": {"image_gen": {"input_tokens": 27, "output_tokens": 1372, '
        '"input_tokens_details": {"text_tokens": 27, "image_tokens": 0}}}}'
    )
    assert amounts(charged)["image_output"] == 1_372 * 30_000
    assert charged.cost.line_of(TokenClass.host_input).tokens == LIKELY.line_of(TokenClass.host_input).tokens
    assert charged.flags == {ESTIMATED}


def test_partial_usage_is_charged_at_the_estimate_of_its_side() -> None:
    """Input was counted and output was not: a picture in hand has output."""
    charged = settled(
        '{"usage": {"input_tokens": 2941, "output_tokens": 225}, '
        '"tool_usage": {"image_gen": {"input_tokens": 27}}}'
    )
    assert charged.cost.line_of(TokenClass.image_output).tokens == 1_756
    assert charged.cost.line_of(TokenClass.text_input).tokens == LIKELY.line_of(TokenClass.text_input).tokens
    assert charged.flags == {ESTIMATED}


def test_output_that_is_told_in_its_details_alone_is_told() -> None:
    charged = settled(
        '{"usage": {"input_tokens": 1, "output_tokens": 1}, "tool_usage": {"image_gen": {"input_tokens": 27, '
        '"output_tokens_details": {"image_tokens": 1372, "text_tokens": 0}}}}'
    )
    assert amounts(charged)["image_output"] == 1_372 * 30_000
    assert charged.flags == frozenset()


def test_usage_of_zero_for_a_picture_in_hand_is_missing_usage() -> None:
    charged = settled(
        '{"usage": {"input_tokens": 2941, "output_tokens": 225}, '
        '"tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}}'
    )
    assert amounts(charged)["image_output"] == 1_756 * 30_000
    assert charged.flags == {ESTIMATED}


def test_usage_of_zero_where_no_picture_was_made_is_zero() -> None:
    """The host answered in words."""
    charged = settled(
        '{"usage": {"input_tokens": 700, "output_tokens": 30}, '
        '"tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}}',
        picture_made=False,
    )
    assert amounts(charged) == {"host_input": 700 * 200, "host_output": 30 * 1_200}
    assert charged.flags == frozenset()


def test_cached_tokens_are_part_of_the_input_and_cost_less() -> None:
    charged = settled(
        """
        {
          "usage": {
            "input_tokens": 2941, "input_tokens_details": {"cached_tokens": 1920}, "output_tokens": 225
          },
          "tool_usage": {"image_gen": {
            "input_tokens": 1124, "input_tokens_details": {"image_tokens": 1024, "text_tokens": 100},
            "cached_tokens_details": {"cached_image_tokens": 512, "cached_text_tokens": 88},
            "output_tokens": 1756
          }}
        }
        """,
        input_pictures=1,
    )
    assert amounts(charged) == {
        "text_input": 12 * 5_000,
        "cached_text_input": 88 * 1_250,
        "image_input": 512 * 8_000,
        "cached_image_input": 512 * 2_000,
        "image_output": 1_756 * 30_000,
        "host_input": 1_021 * 200,
        "host_cached_input": 1_920 * 20,
        "host_output": 225 * 1_200,
    }


WRITES = """
{
  "model": "%s", "tools": [{"type": "image_generation", "model": "%s"}],
  "usage": {"input_tokens": 100, "output_tokens": 10},
  "tool_usage": {"image_gen": {
    "input_tokens": 357, "input_tokens_details": {"text_tokens": 34, "image_tokens": 323},
    "output_tokens": 6543, "output_tokens_details": {"text_tokens": 335, "image_tokens": 6208}
  }}
}
"""


def test_text_output_of_a_model_that_bills_it_has_its_own_price() -> None:
    """gpt-image-1.5: 32 dollars a million for the picture, 10 for the words; one class of tokens."""
    call: dict[str, Any] = {"image_model": "gpt-image-1.5", "width": 1536, "quality": "high"}
    charged = settled(WRITES % ("gpt-5.6-luna", "gpt-image-1.5"), **call)
    assert charged.cost.line_of(TokenClass.image_output).tokens == 6_543
    assert amounts(charged)["image_output"] == 6_208 * 32_000 + 335 * 10_000
    assert charged.flags == frozenset()
    assert charged.cost.total_nano_usd <= bound(ask(**call), CATALOGUE).total_nano_usd


def test_text_output_without_a_price_costs_as_the_picture() -> None:
    charged = settled(WRITES % ("gpt-5.6-luna", "gpt-image-2"))
    assert amounts(charged)["image_output"] == 6_543 * 30_000


def test_output_without_details_is_all_picture() -> None:
    charged = settled(
        '{"usage": {"input_tokens": 1, "output_tokens": 1}, "tools": [{"model": "gpt-image-1.5"}], '
        '"tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 6543}}}',
        image_model="gpt-image-1.5",
    )
    assert amounts(charged)["image_output"] == 6_543 * 32_000


def test_an_unknown_model_in_the_answer_is_charged_as_the_one_asked_for_and_flagged() -> None:
    for known, unknown, flag in (
        ("gpt-image-2-2026-04-21", "gpt-image-7", UNKNOWN_MODEL),
        ('"gpt-5.6-luna"', '"gpt-9-luna"', UNKNOWN_HOST),
    ):
        charged = settled(COMPLETE.replace(known, unknown))
        assert amounts(charged) == EXACT
        assert charged.flags == {flag}
        assert charged.price_version == "gpt-image-2@2026-04-21+gpt-5.6-luna@2026-07-30"


def test_another_known_model_in_the_answer_is_charged_as_itself() -> None:
    charged = settled(COMPLETE.replace("gpt-image-2-2026-04-21", "gpt-image-1-mini"))
    assert amounts(charged)["image_output"] == 1_756 * 8_000
    assert charged.price_version.startswith("gpt-image-1-mini@")


def test_a_moderated_call_with_host_usage_alone_costs_the_host_alone() -> None:
    """Nobody adds an estimate for a picture that was refused; the flag keeps why."""
    charged = settled(
        '{"usage": {"input_tokens": 2941, "output_tokens": 225}, "tool_usage": null}',
        picture_made=False,
        moderated=True,
    )
    assert amounts(charged) == {"host_input": 2_941 * 200, "host_output": 225 * 1_200}
    assert charged.flags == {MODERATED}


def test_a_moderated_call_with_part_of_the_hosts_usage_costs_that_part() -> None:
    charged = settled('{"usage": {"output_tokens": 225}}', picture_made=False, moderated=True)
    assert amounts(charged) == {"host_output": 225 * 1_200}
    assert charged.flags == {MODERATED}


def test_usage_without_a_picture_is_charged_as_reported() -> None:
    charged = settled(COMPLETE, picture_made=False)
    assert amounts(charged) == EXACT
    assert charged.flags == frozenset()


def test_usage_that_contradicts_itself_is_charged_at_the_estimate_of_its_side() -> None:
    charged = settled(
        '{"usage": {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 101}, '
        '"output_tokens": 1}, "tool_usage": {"image_gen": {"input_tokens": -5, "output_tokens": 1756}}}'
    )
    assert charged.cost == LIKELY
    assert charged.flags == {BAD_USAGE}
