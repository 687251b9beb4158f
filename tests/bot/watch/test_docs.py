"""Every metric is in the docs as it is, nothing else is there, and the alerts ask for what there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from bot.watch import series
from bot.watch.readiness import FREE_MIN, PING_S
from bot.watch.series import FIRST_MAX, Series

DOCS = Path(__file__).parents[3] / "docs"
OPERATING = (DOCS / "operating.md").read_text()
ALERTS = (DOCS / "alerts.yml").read_text()
EXPORTED = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def test_every_series_is_served_by_its_name_alone() -> None:
    """One that is defined is also listed, and no two have one name."""
    defined = [value for value in vars(series).values() if isinstance(value, Series)]
    assert sorted(defined, key=lambda one: one.name) == sorted(series.ALL, key=lambda one: one.name)
    assert len({one.name for one in series.ALL}) == len(series.ALL)
    for one in series.ALL:
        assert one.name.startswith("darkroom_")
        assert one.name.endswith("_total") == (one.form == "counter")
        assert bool(one.buckets) == (one.form == "histogram")
        assert not set(one.labels) & {"user", "person", "channel", "thread", "turn", "team"}


def test_the_docs_list_each_metric_as_it_is_and_no_other() -> None:
    rows = re.findall(r"^\| `(darkroom_\w+)` \| (\w+) \| (.+?) \| (.+) \|$", OPERATING, re.MULTILINE)
    written = {name: (form, tuple(re.findall(r"`(\w+)`", labels)), says) for name, form, labels, says in rows}
    assert len(rows) == len(written)
    assert written == {one.name: (one.form, one.labels, one.says) for one in series.ALL}


def test_every_metric_that_is_named_anywhere_in_the_docs_exists() -> None:
    exported = {f"{one.name}{end}" for one in series.ALL for end in EXPORTED[one.form]}
    for page in (*DOCS.glob("*.md"), DOCS / "alerts.yml"):
        named = set(re.findall(r"\bdarkroom_[a-z_]+\b", page.read_text())) - {"darkroom_turn"}
        assert named <= exported | {one.name for one in series.ALL}, page.name


def test_the_limits_that_the_docs_name_are_those_of_the_code() -> None:
    assert f"for {PING_S:g} seconds at most" in OPERATING
    assert f"{FREE_MIN // 1024**2} MB are free" in OPERATING
    assert FIRST_MAX == 40
    assert "up to forty" in OPERATING


def test_each_alert_has_all_that_prometheus_wants_and_says_what_next() -> None:
    groups = yaml.safe_load(ALERTS)["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 10
    known = {one.name: one for one in series.ALL}
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "what_next"}
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
        expr = rule["expr"]
        assert expr.count("(") == expr.count(")")
        assert re.search(r"darkroom_|up\{", expr)
        for name, labels in re.findall(r"(darkroom_[a-z_]+)\{([^}]*)\}", expr):
            one = known[re.sub(r"_(bucket|sum|count)$", "", name)]
            assert set(re.findall(r"(\w+)[!=]", labels)) <= set(one.labels)
        said = str(rule["annotations"])
        for label in re.findall(r"\$labels\.(\w+)", said):
            assert re.search(rf"by \({label}\)", expr), "a label that was summed away is empty"
