"""The only reader of the environment: parsed once at start, passed on as values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from technoshare.errors import ConfigError
from technoshare.models import EXTRACTIVE, ContentMode, ContentPolicy

NOBODY = "none"
"""Ends LLM_FALLBACKS where an apology is wanted rather than a comment by the keyless engine."""

Words = Annotated[tuple[str, ...], NoDecode]
"""A comma-separated list in one variable."""


class Settings(BaseSettings):
    """Everything the environment or `.env` may say; `.env.example` explains each name."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    # Slack; only `slack()` needs them, so the command line runs without
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    channels: Words = Field(default=(), alias="TECHNOSHARE_CHANNEL_ID")
    slack_api_url: str = "https://slack.com/api/"
    slack_ambiguous: Literal["lookup", "hold"] = "lookup"

    # model
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    llm_model: str = "gpt-4o"
    llm_fallbacks: Words = ()
    llm_api: Literal["auto", "responses", "chat"] = "auto"
    daily_budget_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    comment_language: str = "en"

    # MLflow
    mlflow_tracking_uri: str = "http://127.0.0.1:5000"
    mlflow_experiment_name: str = "technoshare_commentator"
    mlflow_enable_tracking: bool = True
    mlflow_enable_tracing: bool = True
    mlflow_content: Words = ("full",)

    # alerts
    alert_channel: str = ""
    alert_pass_rate: float = Field(default=0.8, ge=0, le=1)
    alert_down_rate: float = Field(default=0.3, ge=0, le=1)
    alert_comments: int = Field(default=50, ge=1, le=10_000)
    alert_votes: int = Field(default=20, ge=1, le=10_000)
    # evaluation
    shadow_share: float = Field(default=0.0, ge=0, le=1)
    eval_require: Literal["embedded", "replay", "live"] | None = None

    # running
    jobs_url: str = "sqlite:///data/technoshare.db"
    workers: int = Field(default=32, ge=1, le=1000)
    drain_seconds: float = Field(default=25.0, ge=0)  # below the 30 s that systemd and Kubernetes grant
    fetch_allow_hosts: Words = ()
    fetch_snapshots: Path | None = None
    github_token: SecretStr | None = None
    projects_file: Path = Path("prompts/projects.yaml")
    prompts_dir: Path = Path("prompts")
    prompt_refresh_seconds: float = Field(default=30.0, gt=0, le=86_400)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @field_validator("channels", "fetch_allow_hosts", "llm_fallbacks", "mlflow_content", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("channels", "alert_channel")
    @classmethod
    def _channel_ids(cls, value: tuple[str, ...] | str) -> tuple[str, ...] | str:
        for channel in (value,) if isinstance(value, str) and value else value:
            _check_channel(channel)
        return value

    @field_validator("mlflow_content")
    @classmethod
    def _modes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for number, entry in enumerate(value):
            channel, colon, mode = entry.rpartition(":")
            if mode not in get_args(ContentMode):
                raise ValueError(f"{entry!r}: {mode!r} is none of {', '.join(get_args(ContentMode))}")
            if colon:
                _check_channel(channel)
            elif number:
                raise ValueError(f"{entry!r} must be channel:mode; only the first word counts for all channels")
        return value

    @field_validator("fetch_allow_hosts")
    @classmethod
    def _host_and_port(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            host, _, port = pair.rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"{pair!r} must be host:port")
        return value

    @field_validator("llm_fallbacks")
    @classmethod
    def _ends_in_the_last_resort(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in (EXTRACTIVE, NOBODY):
            if name in value[:-1]:
                raise ValueError(f"{name} can only stand at the end")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("slack_api_url", "openai_base_url", "mlflow_tracking_uri")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and "://" not in value:
            raise ValueError(f"{value!r} is not an address (http://…)")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _ends_with_slash(cls, value: str) -> str:
        return value if value.endswith("/") else value + "/"

    @property
    def data(self) -> Path:
        """Folder of the SQLite files: where the jobs are, or `data` when they are in a server."""
        kind, _, path = self.jobs_url.partition(":///")
        return Path(path).parent if kind == "sqlite" else Path("data")

    @property
    def spool(self) -> Path:
        """File of what is on its way to MLflow."""
        return self.data / "mlflow-spool.db"

    @property
    def cache(self) -> Path:
        """File of the pages that were read."""
        return self.data / "fetch-cache.db"

    @property
    def model(self) -> str:
        """The model that writes: `extractive` when neither a key nor a server of one's own is given."""
        reachable = self.openai_api_key is not None or self.openai_base_url is not None
        return self.llm_model if reachable else EXTRACTIVE

    @property
    def models(self) -> tuple[str, ...]:
        """The models in the order in which they are asked."""
        return tuple(dict.fromkeys((self.model, *(m for m in self.llm_fallbacks if m not in (EXTRACTIVE, NOBODY)))))

    @property
    def extractive_at_last(self) -> bool:
        """Whether the keyless engine writes when no model does."""
        return self.llm_fallbacks[-1:] != (NOBODY,)

    @property
    def content(self) -> ContentPolicy:
        """How much MLflow is told, by channel; `full` where nothing is said."""
        modes = {channel: mode for channel, _, mode in (entry.rpartition(":") for entry in self.mlflow_content)}
        default = modes.pop("", "full")
        return ContentPolicy.model_validate({"default": default, "channels": modes})

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must appear nowhere."""
        return tuple(value.get_secret_value() for _, value in self if isinstance(value, SecretStr))

    def slack(self) -> tuple[str, str]:
        """Return bot and app token. Raises `ConfigError` that names what is missing or mixed up."""
        if not self.channels:
            raise ConfigError("TECHNOSHARE_CHANNEL_ID is missing: the channel ids to listen in, comma-separated")
        if unknown := self.content.channels.keys() - set(self.channels):  # a typing error would tell MLflow everything
            raise ConfigError(f"MLFLOW_CONTENT: {min(unknown)} is not in TECHNOSHARE_CHANNEL_ID")
        return (
            _token("SLACK_BOT_TOKEN", "xoxb-", self.slack_bot_token),
            _token("SLACK_APP_TOKEN", "xapp-", self.slack_app_token),
        )


def _check_channel(channel: str) -> None:
    if not (channel[:1] in "CG" and channel.isalnum() and channel.isupper()):
        raise ValueError(f"{channel!r} is not a channel id; copy it from the channel's details (C0123456789)")


def _token(name: str, prefix: str, value: SecretStr | None) -> str:
    if value is None:
        raise ConfigError(f"{name} is missing ({prefix}…); see docs/SLACK_SETUP.md")
    token = value.get_secret_value()
    if not token.startswith(prefix):
        raise ConfigError(f"{name} must begin with {prefix}; is it the other token?")
    return token


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises `ConfigError`: one line that names the variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise ConfigError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None


def forget_mlflow_environment() -> None:
    """Remove the names that make any mlflow import in this process ask a server by itself (notes: blocks 246 s)."""
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
        os.environ.pop(name, None)
