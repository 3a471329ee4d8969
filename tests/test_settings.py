import pytest

from technoshare.errors import ConfigError
from technoshare.models import EXTRACTIVE
from technoshare.settings import load_settings

NAMES = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "TECHNOSHARE_CHANNEL_ID",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "JOBS_URL",
)


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no .env here
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_nothing_set_means_defaults_and_the_extractive_engine():
    settings = load_settings()
    assert settings.model == EXTRACTIVE
    assert settings.workers == 32
    assert str(settings.data) == "data"


@pytest.mark.parametrize(("name", "value"), [("OPENAI_API_KEY", "sk-abcdefgh1234"), ("OPENAI_BASE_URL", "http://h/v1")])
def test_a_key_or_a_server_selects_the_model(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert load_settings().model == "gpt-4o"


@pytest.mark.parametrize(
    ("fallbacks", "models", "keyless"),
    [
        ("", ("gpt-4o",), True),
        ("extractive", ("gpt-4o",), True),
        ("none", ("gpt-4o",), False),
        ("gpt-4o-mini, gpt-4o,q@http://h/v1", ("gpt-4o", "gpt-4o-mini", "q@http://h/v1"), True),
        ("gpt-4o-mini,none", ("gpt-4o", "gpt-4o-mini"), False),
    ],
)
def test_the_keyless_engine_writes_at_last_unless_the_list_says_otherwise(monkeypatch, fallbacks, models, keyless):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abcdefgh1234")
    monkeypatch.setenv("LLM_FALLBACKS", fallbacks)
    settings = load_settings()
    assert (settings.models, settings.extractive_at_last) == (models, keyless)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("WORKERS", "many", "WORKERS"),
        ("WORKERS", "0", "WORKERS"),
        ("TECHNOSHARE_CHANNEL_ID", "#links", "TECHNOSHARE_CHANNEL_ID"),
        ("ALERT_CHANNEL", "#operators", "ALERT_CHANNEL"),
        ("ALERT_PASS_RATE", "80", "ALERT_PASS_RATE"),
        ("FETCH_ALLOW_HOSTS", "localhost", "FETCH_ALLOW_HOSTS"),
        ("LLM_API", "soap", "LLM_API"),
        ("LLM_FALLBACKS", "extractive,gpt-5.5", "LLM_FALLBACKS"),
        ("DAILY_BUDGET_USD", "-1", "DAILY_BUDGET_USD"),
        ("DAILY_BUDGET_USD", "nan", "DAILY_BUDGET_USD"),
        ("SLACK_API_URL", "slack.com", "SLACK_API_URL"),
        ("MLFLOW_ENABLE_TRACKING", "perhaps", "MLFLOW_ENABLE_TRACKING"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(monkeypatch, name, value, complaint):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as error:
        load_settings()
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("missing", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "TECHNOSHARE_CHANNEL_ID"])
def test_a_missing_slack_setting_is_named(monkeypatch, missing):
    complete = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "TECHNOSHARE_CHANNEL_ID": "C0123456789"}
    for name, value in complete.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=missing):
        load_settings().slack()


def test_swapped_tokens_are_noticed_and_not_printed(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xapp-very-secret")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xoxb-very-secret")
    monkeypatch.setenv("TECHNOSHARE_CHANNEL_ID", "C0123456789,G0123456789")
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN must begin with xoxb-") as error:
        load_settings().slack()
    assert "secret" not in str(error.value)


# ---------------------------------------------------------------- how much MLflow is told


@pytest.mark.parametrize(
    ("told", "modes"),
    [
        ("full", ("full", "full")),
        ("metadata", ("metadata", "metadata")),
        ("full,C024BE91L:none", ("none", "full")),
        (" none , C024BE91L:full , C9:metadata ", ("full", "none")),
        ("C024BE91L:none", ("none", "full")),
    ],
)
def test_mlflow_is_told_what_a_channels_mode_allows(monkeypatch, told, modes):
    monkeypatch.setenv("MLFLOW_CONTENT", told)
    content = load_settings().content
    assert (content.of("C024BE91L"), content.of("C7")) == modes


def test_without_a_word_about_it_mlflow_is_told_everything():
    assert load_settings().content.of("C024BE91L") == "full"


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ("secret", "'secret': 'secret' is none of full, metadata, none"),
        ("full,C024BE91L:some", "'C024BE91L:some': 'some' is none of full, metadata, none"),
        ("full,none", "'none' must be channel:mode; only the first word counts for all channels"),
        ("full,general:none", "'general' is not a channel id"),
        ("full,:none", "'' is not a channel id"),
    ],
)
def test_a_wrong_content_mode_is_one_line_that_names_it(monkeypatch, told, complaint):
    monkeypatch.setenv("MLFLOW_CONTENT", told)
    with pytest.raises(ConfigError) as error:
        load_settings()
    assert str(error.value).startswith(f"MLFLOW_CONTENT: {complaint}")


def test_a_content_mode_for_a_channel_that_is_not_listened_in_is_refused(monkeypatch):
    monkeypatch.setenv("TECHNOSHARE_CHANNEL_ID", "C1")
    monkeypatch.setenv("MLFLOW_CONTENT", "full,C2:none")
    with pytest.raises(ConfigError, match=r"^MLFLOW_CONTENT: C2 is not in TECHNOSHARE_CHANNEL_ID$"):
        load_settings().slack()
