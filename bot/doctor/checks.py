"""Every check by its name, and what it looks at; ``docs/doctor.md`` has them, too."""

from __future__ import annotations

from collections.abc import Mapping

CHECKS: Mapping[str, str] = {
    "settings": (
        "every setting, from `darkroom.toml`, `.env`, the environment and flags: does it exist, does it "
        "make sense"
    ),
    "settings.secrets": "whether a token or key stands in `darkroom.toml`",
    "secrets.file": "whether `.env` can be read by others on the machine",
    "secrets.lines": "lines of `.env` that count for nothing, and names that are nearly those of variables",
    "secrets.git": "in a git repository: whether `.env` is committed, or not ignored",
    "data.directory": "whether the data directory is there, and has books in it",
    "data.writable": "whether this account can write there (a small file is written and removed)",
    "data.space": "free space: below 2 GB a warning, below 100 MB a failure",
    "data.mode": "whether others on the machine can look into it",
    "data.filesystem": "whether it is on a network file system, where SQLite loses data",
    "data.sqlite": "SQLite's version, and its WAL-reset fault (before 3.51.3, but for 3.50.7 and 3.44.6)",
    "data.integrity": "the whole database, read through (`PRAGMA quick_check`, a minute at most)",
    "data.version": "whether an older or a newer Darkroom wrote it",
    "data.process": (
        "who holds the directory: nobody, a Darkroom with a sign of life, or something that gives none"
    ),
    "slack.port": "in HTTP mode: whether the port is free, or the running Darkroom's",
    "watch.port": "the same for the port of `/metrics`, if there is one",
    "network.proxy": "proxies in the environment, and whether they answer",
    "clock": "the machine's clock against Slack's and the API's: from 1 minute a warning, from 5 a failure",
    "slack.address": "whether tokens go to Slack itself, and encrypted",
    "slack.bot_token": "whether it is a bot's token, and Slack takes it",
    "slack.scopes": "each scope of the manifest, and what breaks without it ([scopes](scopes.md))",
    "slack.admins": "whether somebody is told of alerts, and Slack knows them",
    "slack.app_token": (
        "in Socket Mode: the app-level token, its scope, and whether both tokens are of one app"
    ),
    "slack.socket": (
        "in Socket Mode: a connection up to Slack's hello, and who else is connected. Not while Darkroom "
        "runs: Slack might send the second connection what somebody does just then"
    ),
    "slack.signing_secret": (
        "in HTTP mode: its form. Whether it is the right one only Slack's first request can show"
    ),
    "slack.endpoint": (
        "in HTTP mode, while Darkroom runs: whether it takes what is signed with this secret, at this path"
    ),
    "catalogue": "the file with prices of your own",
    "image.model.catalogue": (
        "the image model: known, priced, how old and how sure the price is, when it is shut down"
    ),
    "image.fallback.catalogue": "the same of each fallback",
    "image.host_model.catalogue": "the same of the host model",
    "openai.address": "whose API it is: OpenAI's own, or somebody else's under a contract of its own",
    "openai.key": "whether it is a key, and the API takes it",
    "openai.admin_key": "if there is one: its form",
    "openai.credit": "said where the account has no credit left, or a limit is reached",
    "openai.region": "said where the API does not serve the place that it is called from",
    "openai.answers": "said where the API does not answer, or something else does in its place",
    "models.access": "said where the models could not be asked about",
    "image.model.access": (
        "what the API says of the image model to this account: listed or refused, until when"
    ),
    "image.fallback.access": "the same of each fallback",
    "image.host_model.access": "the same of the host model",
    "openai.outage": "said where Darkroom has found the API to be of no use, and waits",
    "image.model.called": (
        "said where the last call of the image model, or of the host model with it, was refused: a listed "
        "model may need a verified organisation"
    ),
    "image.fallback.called": "the same of each fallback",
    "openai.rates": "the limits a minute that answers have named, as last seen",
}
"""In the order of the table. Those that begin with ``live`` are in ``docs/probes.md``."""
