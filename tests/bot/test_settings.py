"""Settings: where they come from, and how all faults are told at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parts import handler_config
from bot.preflight import Identity
from bot.settings import BadSettings, Settings, load_settings, plain_settings
from darkroom.spending.budgets import BudgetKind
from darkroom.turns.model import ThreadReplies

IDENTITY = Identity("xoxb-1", "xapp-1", "T0TEAM0001", None, "U0DARKROOM", "B0DARKROOM")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("DARKROOM_", "SLACK_", "OPENAI_")):
            monkeypatch.delenv(name)


def test_the_defaults_are_those_of_the_public_interface() -> None:
    settings = plain_settings({})
    assert settings.image.model == "gpt-image-2-2026-04-21"
    assert settings.image.fallback == ("gpt-image-2.5-flare",)
    assert settings.image.host_model == "gpt-5.6-luna"
    assert (settings.image.quality, settings.image.size, settings.image.format) == (
        "medium",
        "1024x1024",
        "png",
    )
    assert settings.image.timeout_s == 240
    caps = settings.caps.caps()
    assert caps.limits[BudgetKind.PERSON] == 10_000_000_000
    assert caps.limits[BudgetKind.CHANNEL] is None
    assert caps.limits[BudgetKind.WORKSPACE] == 500_000_000_000
    assert (caps.period, caps.timezone) == ("month", "UTC")
    assert settings.slack.thread_replies is ThreadReplies.JOINED
    assert (settings.queue.per_person, settings.queue.overall, settings.queue.waiting) == (2, 32, 500)
    assert settings.storage.data_dir == Path("data")


def test_flags_win_over_the_environment_over_the_env_file_over_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "darkroom.toml").write_text(
        '[image]\nquality = "low"\nsize = "1536x1024"\nformat = "jpeg"\ntimeout_s = 100\n'
    )
    (tmp_path / ".env").write_text("DARKROOM_IMAGE__SIZE=1024x1536\nDARKROOM_IMAGE__FORMAT=png\nOTHER=1\n")
    monkeypatch.setenv("DARKROOM_IMAGE__FORMAT", "jpeg")
    settings = load_settings(folder=tmp_path, flags={"image.timeout_s": "50"})
    assert settings.image.quality == "low"
    assert settings.image.size == "1024x1536"
    assert settings.image.format == "jpeg"
    assert settings.image.timeout_s == 50


def test_secrets_come_from_the_env_file_and_never_show_in_a_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-hidden\nOPENAI_API_KEY=sk-hidden\n")
    settings = load_settings(folder=tmp_path)
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-hidden"
    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.model_dump_json()


def test_lists_in_the_environment_are_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_SLACK__ADMINS", '["U0ALICE001", "U0BOB00001"]')
    assert load_settings(folder=tmp_path).slack.admins == ("U0ALICE001", "U0BOB00001")


def test_all_faults_are_reported_at_once_by_name_and_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "darkroom.toml").write_text(
        '[image]\nqualty = "low"\nsize = "1x"\n[caps]\nperson_usd = -1\ntimezone = "Mars/Olympus"\n'
    )
    monkeypatch.setenv("DARKROOM_QUEUE__OVERALL", "0")
    with pytest.raises(BadSettings) as caught:
        load_settings(folder=tmp_path)
    text = "\n".join(caught.value.faults)
    for part in (
        "image.qualty: there is no such setting",
        "image.size (DARKROOM_IMAGE__SIZE)",
        "caps.person_usd (DARKROOM_CAPS__PERSON_USD)",
        "caps.timezone (DARKROOM_CAPS__TIMEZONE)",
        "queue.overall (DARKROOM_QUEUE__OVERALL)",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("image.quality", "best", "'low', 'medium' or 'high'"),
        ("slack.thread_replies", "all", "'joined', 'everyone' or 'mentions'"),
        ("slack.port", "abc", "a whole number"),
        ("slack.port", "70000", "at most 65,535"),
        ("image.timeout_s", "5", "at least 10"),
        ("image.timeout_s", "long", "a number"),
        ("slack.allow_guests", "maybe", "true or false"),
        ("slack.admins", "U0123ABCD", 'a list, such as ["U0123ABCD"]'),
        ("watch.port", "70000", "at most 65,535"),
    ],
)
def test_what_is_allowed_is_said_in_words_that_need_no_python(name: str, value: str, said: str) -> None:
    with pytest.raises(BadSettings) as caught:
        plain_settings({name: value})
    (fault,) = caught.value.faults
    assert fault.partition("): ")[2] == said


def test_a_port_that_is_set_elsewhere_can_be_taken_away_again() -> None:
    assert plain_settings({"watch.port": "9180"}).watch.port == 9180
    assert plain_settings({"watch.port": "none"}).watch.port is None


def test_a_mistyped_variable_is_a_fault_and_not_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_CAP__PERSON_USD", "5")
    with pytest.raises(BadSettings, match="DARKROOM_CAP__PERSON_USD"):
        load_settings(folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "said"), [("[image\n", "not readable as TOML"), ("\xff", "not readable as TOML")]
)
def test_a_broken_file_is_named_with_its_whole_path(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "darkroom.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(BadSettings) as caught:
        load_settings(folder=tmp_path)
    assert said in caught.value.faults[0]
    assert str(tmp_path) in caught.value.faults[0]


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="there is no such file"):
        load_settings(config=tmp_path / "other.toml", folder=tmp_path)


def test_a_file_that_cannot_be_looked_for_is_named(tmp_path: Path) -> None:
    """As in a folder that this account may not look into, where one started from is often root's own."""
    with pytest.raises(BadSettings, match="cannot be read"):
        load_settings(config=tmp_path / ("x" * 300), folder=tmp_path)


def test_the_demo_and_the_tests_ignore_what_stands_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-real")
    monkeypatch.setenv("DARKROOM_IMAGE__QUALITY", "high")
    settings = plain_settings({})
    assert settings.slack_bot_token is None
    assert settings.image.quality == "medium"


def test_above_which_price_a_press_asks_first_is_a_setting_and_bounded() -> None:
    """Zero asks before everything; no limit would be a setting that never asks, which nobody wants."""
    assert plain_settings({}).slack.confirm_usd == 250_000_000
    for written, nano_usd in (("0", 0), ("1.50", 1_500_000_000), ("1000", 1_000_000_000_000)):
        settings = plain_settings({"slack.confirm_usd": written})
        assert settings.slack.confirm_usd == nano_usd
        assert handler_config(settings, IDENTITY).confirm_nano_usd == nano_usd
    for wrong in ("none", "-1", "1000.01", "soon", True):
        with pytest.raises(BadSettings, match=r"slack.confirm_usd \(DARKROOM_SLACK__CONFIRM_USD\)"):
            plain_settings({"slack.confirm_usd": wrong})


def test_settings_are_frozen() -> None:
    settings = plain_settings({})
    with pytest.raises(ValueError, match="frozen"):
        settings.image = settings.image
    assert isinstance(settings, Settings)


@given(st.decimals(min_value=0, max_value=1_000_000, places=6))
def test_an_amount_in_dollars_becomes_exactly_its_nano_dollars(amount: object) -> None:
    settings = plain_settings({"caps.person_usd": str(amount)})
    assert settings.caps.person_usd == int(str(amount).replace(".", "")) * 1000


@pytest.mark.parametrize("text", ["none", "None", " NONE "])
def test_none_is_no_limit(text: str) -> None:
    assert plain_settings({"caps.person_usd": text}).caps.person_usd is None


@pytest.mark.parametrize("text", ["nan", "-1", "1e9", "inf", "0.0000001", "", True, [1]])
def test_nonsense_is_no_amount(text: object) -> None:
    with pytest.raises(BadSettings, match=r"caps\.person_usd"):
        plain_settings({"caps.person_usd": text})
