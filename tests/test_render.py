import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from technoshare.models import (
    EXTRACTIVE,
    AlreadyShared,
    Apology,
    Message,
    Metadata,
    ProjectNote,
    Reply,
    Sentence,
    Verdict,
)
from technoshare.quality.blocks import block_problems
from technoshare.render import message
from tests.samples import JOB, URL, comment, reviewed, sentences

SHARED = AlreadyShared(user="U1", at=1_795_000_000.0, permalink="https://acme.slack.example/archives/C1/p1")
APOLOGY = Apology(url=URL, reason="the page wants a login", obstacle="login_wall")


def accepted(reply: Reply) -> Message:
    """Render, and let Slack's own models look at the blocks."""
    sent = message(reply)
    assert [block.to_dict() for block in Block.parse_all(list(sent.blocks))]
    named = isinstance(reply, AlreadyShared) and reply.user == "U1"
    assert len(block_problems(sent.blocks)) == named, "nobody is mentioned but who shared the page before"
    return sent


def shown(sent: Message) -> str:
    return json.dumps(sent.blocks, ensure_ascii=False)


def test_the_sections_of_the_text_form_stand_two_blank_lines_apart() -> None:
    parts = accepted(reviewed()).text.split("\n\n\n")
    assert [part.partition("\n")[0] for part in parts[1:4]] == ["TLDR", "Summary", "Projects"]
    assert parts[1].count("\n") == 3
    assert parts[3].startswith("Projects\nTheme: Edge sensing (Drizzle) — Drizzle has the same battery problem.")


def test_the_title_is_a_link_to_what_was_posted_and_the_reader_learns_what_was_read() -> None:
    sent = accepted(reviewed(unread=("https://other.example/1",)))
    title = sent.blocks[0]["elements"][0]["elements"][0]
    assert (title["type"], title["url"], title["text"]) == ("link", URL, "Tin roofs and rain gauges")
    for words in (
        "roofs.example.org · 12 November 2026 · Ada Quill",
        "Read: full text of the page (2,314 words)",
        "Written by: gpt-test",
        "Not read (too many links in one message): https://other.example/1",
    ):
        assert words in sent.text
        assert words in shown(sent)


def test_a_failed_check_is_counted_and_a_note_is_shown() -> None:
    good = Verdict(check="a", section="tldr", severity="repair", score=1.0, passed=True)
    bad = good.model_copy(update={"check": "b", "passed": False, "score": 0.0})
    sent = accepted(reviewed(verdicts=(good, bad), notes=("Short source: 4 sentences are enough.",)))
    assert "Checks: 1 of 2 passed" in sent.text
    assert "Short source" in shown(sent)


def test_extracted_sentences_are_a_list_and_written_ones_paragraphs() -> None:
    extracted = accepted(reviewed(comment=comment(model=EXTRACTIVE)))
    written = accepted(reviewed())
    assert "Written by: extractive, no model" in extracted.text
    assert extracted.text.count("• ") == 12
    assert "• " not in written.text
    assert shown(extracted).count("rich_text_list") == shown(written).count("rich_text_list") + 1


def test_a_reader_in_a_hurry_sees_first_whether_to_read_the_page_and_why() -> None:
    sent = accepted(reviewed())
    assert "\nWorth a skim — It shows what a roof can measure.\n\n\nTLDR" in sent.text
    assert '{"type": "text", "text": "Worth a skim", "style": {"bold": true}}' in shown(sent)
    nobody_judged = accepted(reviewed(comment=comment(priority=None)))
    assert "Worth" not in nobody_judged.text + shown(nobody_judged)


def test_every_projects_item_begins_with_its_bold_theme() -> None:
    notes = (ProjectNote(theme="none", relevance="no link to our projects"),)
    sent = accepted(reviewed(comment=comment(projects=notes)))
    assert "\nTheme: none — no link to our projects\n" in sent.text
    assert '{"type": "text", "text": "Theme: none", "style": {"bold": true}}' in shown(sent)


@pytest.mark.parametrize("title", [" ", "https://bank.example/login"])
def test_a_page_with_an_empty_title_or_one_that_looks_like_another_link_is_called_by_its_domain(title: str) -> None:
    page = reviewed().source.model_copy(update={"title": title})
    assert accepted(reviewed(source=page)).text.startswith("roofs.example.org\n")


def test_what_the_site_itself_says_about_a_repository_is_shown() -> None:
    data = Metadata(kind="repository", stars=1204, licence="MIT", release="v2.1", topics="rain", last_push="2026-11-18")
    page = reviewed().source.model_copy(update={"metadata": data, "coverage": "partial"})
    sent = accepted(reviewed(source=page))
    assert "Ada Quill · release v2.1 · last commit 18 November 2026 · MIT licence · 1,204 stars\n" in sent.text
    assert "Read: part of the repository's README (2,314 words)" in sent.text


def test_a_reader_sees_that_a_paper_is_withdrawn_or_has_a_newer_version() -> None:
    data = Metadata(kind="paper", withdrawn=True, version="v1", newest="v3", code="https://github.com/owner/fences")
    sent = accepted(reviewed(source=reviewed().source.model_copy(update={"metadata": data})))
    assert "withdrawn · version v1 · newest is v3 · code https://github.com/owner/fences\n" in sent.text
    assert "Read: full text of the paper (" in sent.text


def test_a_link_that_no_browser_should_open_is_only_text() -> None:
    sent = accepted(Apology(url="javascript:alert(1)", reason="it is no web page"))
    assert '"link"' not in shown(sent)


def test_an_apology_is_one_line_with_the_link_and_the_reason() -> None:
    sent = accepted(APOLOGY)
    assert sent.text == f"No comment on {URL.replace('&', '&amp;')}: the page wants a login."


def test_only_a_failure_whose_job_is_known_carries_a_button_that_names_job_and_attempt() -> None:
    job = JOB.model_copy(update={"generation": 2})
    *_, block = accepted(Apology.of(job, "the page wants a login", "login_wall")).blocks
    assert (block["type"], block["block_id"]) == ("actions", "retry-2")
    (button,) = block["elements"]
    assert (button["action_id"], button["value"]) == ("retry", job.id)
    assert not any("actions" in shown(accepted(reply)) for reply in (APOLOGY, SHARED, reviewed()))


@pytest.mark.parametrize("outcome", ["success", "degraded"])
def test_a_comment_ends_in_two_buttons_that_name_job_and_attempt_and_are_not_in_the_text_form(outcome) -> None:
    sent = accepted(reviewed(job_id=JOB.id, generation=2, outcome=outcome))
    *others, block = sent.blocks
    assert (block["type"], block["block_id"]) == ("actions", "vote-2")
    assert [(button["action_id"], button["value"]) for button in block["elements"]] == [
        ("vote-up", JOB.id),
        ("vote-down", JOB.id),
    ]
    assert Message(text=sent.text, blocks=tuple(others)) == accepted(reviewed(outcome=outcome))


def test_a_page_shared_before_is_one_line_with_who_day_and_permalink() -> None:
    sent = accepted(SHARED)
    assert sent.text == f"Already shared here by a colleague on 18 November 2026: {SHARED.permalink}"
    (section,) = sent.blocks[0]["elements"]
    assert section["elements"][1] == {"type": "user", "user_id": "U1"}


@pytest.mark.parametrize("user", ["", "U1> <!here", "here", "u1"])
def test_an_author_whose_id_is_none_is_not_named(user: str) -> None:
    sent = accepted(SHARED.model_copy(update={"user": user}))
    assert sent.text == f"Already shared here on 18 November 2026: {SHARED.permalink}"
    assert '"user"' not in shown(sent)


def test_an_apology_shows_slacks_own_preview_and_says_whose_words_those_are() -> None:
    sent = accepted(APOLOGY.model_copy(update={"preview": "Tin roofs: They sing. " + "x" * 600}))
    for form in (sent.text, shown(sent)):
        assert "Slack's own preview, not checked: “Tin roofs: They sing." in form
        assert "…”" in form


@pytest.mark.parametrize("reply", [SHARED, APOLOGY])
def test_short_replies_name_unread_links_too(reply: Reply) -> None:
    unread = tuple(f"https://other.example/{n}" for n in range(12))
    sent = accepted(reply.model_copy(update={"unread": unread}))
    assert "https://other.example/9 and 2 more" in sent.text
    assert "https://other.example/9 and 2 more" in shown(sent)


HOSTILE = "<!channel> <@U012AB> <https://evil.example|click> @here & <b>"


def test_no_mention_broadcast_or_labelled_link_leaves_whoever_wrote_it() -> None:
    note = ProjectNote(theme=HOSTILE, project=HOSTILE, relevance=HOSTILE, why=HOSTILE)
    words = comment(tldr=(Sentence(text=HOSTILE),) * 3, projects=(note,), model=HOSTILE)
    page = reviewed().source.model_copy(
        update={"title": HOSTILE, "authors": (HOSTILE,), "published": HOSTILE, "metadata": Metadata(licence=HOSTILE)}
    )
    for reply in (
        reviewed(comment=words, source=page, notes=(HOSTILE,), unread=(HOSTILE,)),
        Apology(url=HOSTILE, reason=HOSTILE, preview=HOSTILE, unread=(HOSTILE,)),
    ):
        sent = accepted(reply)
        assert not re.search(r"[<>]|@here", sent.text)
        assert not re.search(r"<!|<@|evil|@here", shown(sent))
        assert not re.search(r'"type": "(?:user|usergroup|broadcast|channel)"', shown(sent))
        assert "&lt;b&gt;" in sent.text
        assert "<b>" in shown(sent)  # literal in a block: escaping it again would show the entity


@given(st.text(max_size=40))
def test_whatever_a_sentence_holds_the_text_form_stays_escaped_and_in_its_sections(text: str) -> None:
    sent = message(reviewed(comment=comment(tldr=(*sentences(2), Sentence(text=text)))))
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", sent.text)
    assert len(sent.text.split("\n\n\n")) == 5


def test_the_longest_comment_that_the_fixes_let_through_still_fits_into_one_message() -> None:
    longest = tuple(Sentence(text="w" * 499 + ".") for _ in range(15))
    notes = tuple(ProjectNote(theme="t" * 80, project="p" * 80, relevance="r" * 400, why="y" * 200) for _ in range(3))
    accepted(reviewed(comment=comment(tldr=longest[:3], summary=longest, projects=notes, model=EXTRACTIVE)))


@pytest.mark.parametrize(
    ("author", "remark", "told"),
    [
        ("gpt-4o", "", "Written by: gpt-4o"),
        ("extractive", "", "Written by: extractive, no model"),
        (
            "extractive",
            "no model, because it is late",
            "Written by: extractive, no model, because it is late",
        ),
        ("mini", "because the model is busy (429)", "Written by: mini, because the model is busy (429)"),
    ],
)
def test_the_reply_says_who_wrote_and_why_it_was_not_the_first_choice(author, remark, told):
    assert told in message(reviewed(comment=comment(model=author, remark=remark))).text
