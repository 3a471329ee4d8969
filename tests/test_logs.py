import json
import logging

import pytest

from technoshare.logs import MASK, scrub, start_logging

SECRETS = [
    "xoxb-1234567890-abcdefABCDEF",
    "xapp-1-A0123-456-deadbeef",
    "sk-proj-abcdefgh12345678",
    "ghp_abcdefghijklmnop",
    "github_pat_11ABCDEFG0abcdef",
]


@pytest.fixture
def _restored():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("secret", SECRETS)
def test_a_token_or_key_never_stands_in_a_line(secret):
    assert secret not in scrub(f"using {secret}, as told")
    assert MASK in scrub(f"using {secret}, as told")


def test_a_socket_ticket_and_a_bearer_header_are_masked():
    line = scrub("wss://x.slack.com/link/?ticket=0f1e2d3c-4b5a&app_id=A1 Authorization: Bearer abcdef123456789")
    assert "0f1e2d3c" not in line
    assert "abcdef123456789" not in line
    assert "app_id=A1" in line


def test_addresses_are_logged_without_their_credentials():
    line = scrub("no answer from https://bot:hunter2@mlflow.example/api and https://a.example/?token=gr4nted&page=3")
    assert line == "no answer from https://***@mlflow.example/api and https://a.example/?token=***&page=3"


def test_ordinary_words_stay_as_they_are():
    line = "task-based queues risk-free: sk-learn is asked, xox is a game"
    assert scrub(line) == line


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("style", ["text", "json"])
def test_messages_arguments_and_tracebacks_are_scrubbed(capsys, style):
    start_logging("INFO", style)
    log = logging.getLogger("technoshare.test")
    try:
        raise RuntimeError(f"refused {SECRETS[0]}")  # noqa: TRY301 - the traceback is what is tested
    except RuntimeError:
        log.exception("with %s", SECRETS[1])
    said = capsys.readouterr().err
    assert SECRETS[0] not in said
    assert SECRETS[1] not in said
    if style == "json":
        assert json.loads(said)["message"] == f"with {MASK}"


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("style", ["text", "json"])
def test_our_own_secrets_are_masked_whatever_they_look_like(capsys, style):
    start_logging("INFO", style, ('hunter"2hunter2', "short"))
    logging.getLogger("technoshare.test").warning("refused: %s, in short", 'hunter"2hunter2')
    said = capsys.readouterr().err
    assert "hunter" not in said
    assert f"refused: {MASK}, in short" in said
    assert style == "text" or json.loads(said)


@pytest.mark.usefixtures("_restored")
def test_vendors_speak_from_warning_on(capsys):
    start_logging("DEBUG", "text")
    logging.getLogger("slack_bolt").debug("a whole payload")
    logging.getLogger("technoshare").debug("our own detail")
    said = capsys.readouterr().err
    assert "payload" not in said
    assert "our own detail" in said
