import pytest

from technoshare.quality.blocks import block_problems

TEXT = {"type": "text", "text": "x"}


BUTTON = {"type": "button", "action_id": "retry", "value": "v", "text": {"type": "plain_text", "text": "Retry"}}


def actions(*elements: object) -> dict[str, object]:
    return {"type": "actions", "elements": list(elements)}


def rich(*elements: object) -> dict[str, object]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def test_plain_blocks_are_fine() -> None:
    link = {"type": "link", "url": "https://a.example", "text": "a"}
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}
    assert block_problems([header, rich(TEXT, link), {"type": "divider"}, actions(BUTTON)]) == ()


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([], "has 0 blocks"),
        ([{"type": "divider"}] * 51, "has 51 blocks"),
        ([{"type": "markdown", "text": "x"}], "no block of type 'markdown'"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "at most 150"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "at most 3,000"),
        ([rich({"type": "text", "text": "x" * 2700})] * 5, "13,500 characters"),
        ([rich()], "is empty"),
        ([rich({"type": "text", "text": ""})], "has no text"),
        ([rich({"type": "user", "user_id": "U1"})], "'user'"),
        ([rich({"type": "broadcast", "range": "channel"})], "'broadcast'"),
        ([rich({"type": "link", "url": "javascript:x", "text": "a"})], "something else than a web page"),
        ([rich("text")], "not an object"),
        ([{"type": "context", "elements": [{"type": "plain_text", "text": "x"}] * 11}], "11 elements"),
        ([{"type": "context", "elements": []}], "is empty"),
        ([actions(*[BUTTON] * 26)], "26 elements"),
        ([actions()], "is empty"),
        ([actions(TEXT)], "something else than a button"),
        ([actions(BUTTON | {"action_id": ""})], "something else than a button"),
        ([actions(BUTTON | {"text": {"type": "mrkdwn", "text": "x"}})], "is not plain"),
        ([actions(BUTTON | {"text": {"type": "plain_text", "text": "x" * 76}})], "longer than 75"),
        ([actions(BUTTON | {"value": "x" * 2001})], "longer than 2000"),
    ],
)
def test_what_slack_would_refuse_or_we_never_write_is_named(blocks: list[dict[str, object]], problem: str) -> None:
    assert problem in " ".join(block_problems(blocks))
