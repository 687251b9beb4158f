"""The image, the compose file and the unit: what can be seen of them without Docker and without systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.doctor.network import OUTSIDE
from bot.settings import Settings

TOP = Path(__file__).parents[2]
UNIT = TOP / "deploy" / "darkroom.service"
EXPOSURE_MAX = 1.5
"""Of 10, as systemd-analyze counts it."""
SECRET = re.compile(r"xox[abp]-|xapp-|sk-|TOKEN=|KEY=|SECRET=")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile: each instruction's word and the rest, lines put together."""
    text = re.sub(r"\\\n", " ", (TOP / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def of(word: str) -> list[str]:
    """What stands behind each instruction of that word."""
    return [rest for found, rest in instructions() if found == word]


def taken(name: str) -> bool:
    """Whether a file goes into the image's build: the last rule that fits says so."""
    ignored = False
    for line in (TOP / ".dockerignore").read_text().splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!").removeprefix("**/")
        parts = name.split("/")
        heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        anywhere = rule.startswith("**/") and any(fnmatch(part, pattern) for part in parts)
        if anywhere or any(fnmatch(head, pattern) for head in heads):
            ignored = not rule.startswith("!")
    return not ignored


def compose() -> dict[str, Any]:
    """The one service of the compose file."""
    services = yaml.safe_load((TOP / "deploy" / "compose.yml").read_text())["services"]
    service: dict[str, Any] = services["bot"]
    return service


def unit(section: str) -> dict[str, list[str]]:
    """One section of the unit; a key may stand several times."""
    part = UNIT.read_text().partition(f"[{section}]\n")[2].partition("\n[")[0]
    made: dict[str, list[str]] = {}
    for line in part.splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            made.setdefault(key, []).append(value)
    return made


def test_what_the_image_copies_is_there_and_is_not_ignored() -> None:
    copied = [name for rest in of("COPY") if not rest.startswith("--from") for name in rest.split()[:-1]]
    assert {"bot", "handlers", "darkroom", "storage", "sandbox", "requirements.lock"} <= set(copied)
    for name in copied:
        assert (TOP / name).exists(), name
        assert taken(name), name
    assert taken("bot/cli/run.py")
    assert taken("darkroom/spending/catalogue.toml")


@pytest.mark.parametrize(
    "name",
    [".env", ".env.production", "bot/.env", "data/darkroom.db", "darkroom.toml", ".git/config", "tests/a.py"],
)
def test_no_secrets_and_no_data_get_into_the_image(name: str) -> None:
    assert not taken(name)


def test_nothing_secret_stands_in_the_files() -> None:
    for file in (TOP / "Dockerfile", TOP / "deploy" / "compose.yml", UNIT):
        assert not SECRET.search(file.read_text()), file


def test_the_image_runs_as_a_user_without_rights_by_number() -> None:
    (user,) = of("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    words = [word for word, _ in instructions()]
    assert "RUN" not in words[words.index("USER") :]


def test_the_image_takes_locked_packages_and_a_named_base() -> None:
    assert all(re.fullmatch(r"python:3\.1[1-3]-slim-\w+( AS build)?", base) for base in of("FROM"))
    assert any("--require-hashes -r requirements.lock" in run for run in of("RUN"))
    assert "ARG" not in [word for word, _ in instructions()]
    bases = {re.findall(r"python:(3\.\d+)", base)[0] for base in of("FROM")}
    assert len(bases) == 1
    assert set(re.findall(r"python(3\.\d+)/site-packages", " ".join(of("RUN")))) == bases


def test_the_image_is_healthy_as_long_as_the_bot_gives_signs_of_life() -> None:
    (check,) = of("HEALTHCHECK")
    assert check.endswith('CMD ["darkroom", "turns", "--alive"]')
    assert (of("ENTRYPOINT"), of("CMD")) == (['["darkroom"]'], ['["run"]'])


@pytest.mark.parametrize("where", ["Dockerfile", "deploy/darkroom.service"])
def test_every_setting_that_they_name_is_one(where: str) -> None:
    named = re.findall(r"DARKROOM_([A-Z]+)__([A-Z_]+)=", (TOP / where).read_text())
    assert named
    for section, key in named:
        assert key.lower() in type(getattr(Settings(), section.lower())).model_fields


def test_the_container_can_write_to_its_data_and_to_tmp_alone() -> None:
    service = compose()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/var/lib/darkroom"]
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108 -- the container's own


def test_whoever_stops_it_gives_it_longer_than_it_takes() -> None:
    grace_s = Settings().queue.grace_s
    assert int(compose()["stop_grace_period"].removesuffix("s")) > grace_s
    assert int(unit("Service")["TimeoutStopSec"][0]) > grace_s


def test_the_unit_writes_where_it_says_and_is_not_started_again_when_the_app_was_removed() -> None:
    service = unit("Service")
    assert "DARKROOM_STORAGE__DATA_DIR=/var/lib/darkroom" in service["Environment"]
    assert service["StateDirectory"] == ["darkroom"]
    assert (service["Restart"], service["RestartPreventExitStatus"]) == (["on-failure"], ["3"])
    assert unit("Unit")["StartLimitIntervalSec"] == ["0"]


@pytest.fixture
def startable(tmp_path: Path) -> Path:
    """The unit with a program that is there, as systemd-analyze wants it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    file = tmp_path / "darkroom.service"
    file.write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    return file


def analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)  # noqa: S607 -- found by the path
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_takes_the_unit(startable: Path) -> None:
    assert analyze("verify", "--man=no", str(startable)) == ""


def test_the_unit_leaves_little_open(startable: Path) -> None:
    said = analyze("security", "--offline=true", "--no-pager", str(startable))
    level = re.search(r"exposure level for darkroom\.service: ([\d.]+)", said)
    assert level is not None
    assert float(level[1]) <= EXPOSURE_MAX


def test_the_page_names_every_host_that_a_proxy_has_to_let_through() -> None:
    """As the doctor does."""
    page = (TOP / "docs" / "deploying.md").read_text()
    [let_through] = re.findall(r"It must let through (.*?)\. ", page)
    assert tuple(re.findall(r"`([^`]+)`", let_through)) == OUTSIDE
