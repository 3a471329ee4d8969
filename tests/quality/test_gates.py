"""The checks beyond the base five: each lets a good comment through and finds what it is there for."""

import pytest

from technoshare import render
from technoshare.models import EXTRACTIVE, NO_LINK, Message, ProjectNote, ReadPriority, Sentence, Verdict
from technoshare.ports import Private
from technoshare.quality.case import Case, Ground
from technoshare.quality.checks import BASE_CHECKS, CHECKS, fixed, judge
from technoshare.quality.secrets import SECRET_REMOVED, redacted
from tests.samples import FACTS, MEASURED, PAGE, PROJECTS, comment, evidence, reviewed, sentences

PROMPT = "You read a page that a colleague shared and note down what it really says to all of us."
OWN_KEY = "our-very-own-value-1234"
GROUND = Ground(
    evidence(f"{PAGE}\n{MEASURED}"), FACTS, PROJECTS, private=Private(prompts=(PROMPT,), secrets=(OWN_KEY, "short"))
)


def failed(changed, ground=GROUND, message=None) -> dict[str, Verdict]:
    message = message or render.message(reviewed(comment=changed))
    return {verdict.check: verdict for verdict in judge(Case(changed, message, ground)) if not verdict.passed}


def saying(text, *facts):
    """A good comment whose last Summary sentence is another one."""
    return comment(summary=(*sentences(11, first=4), Sentence(text=text, facts=facts or ("f1",))))


def note(**changes):
    good = comment().projects[0]
    return comment(projects=(good.model_copy(update=changes),))


def test_a_good_comment_passes_every_gate() -> None:
    assert failed(comment()) == {}


def test_every_gate_says_in_a_sentence_what_it_expects_and_block_class_gates_decide_nothing_in_the_evaluation() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.look.__doc__.strip().endswith((".", '"')) for check in CHECKS)
    assert CHECKS[:5] == BASE_CHECKS
    assert {check.severity for check in CHECKS} == {"block", "repair", "fix", "warn"}


@pytest.mark.parametrize(
    ("bad", "gate"),
    [
        (saying("The roofs heard 9,417 drops of it."), "grounding"),
        (saying("The roofs were built by Marlowe Fitzgerald of Bristol."), "grounding"),
        (saying("Their number is CVE-2031-4242 in the list."), "grounding"),
        (note(relevance="Drizzle saved 8,311 euros with it."), "grounding"),
        (saying("Drizzle has the same battery trouble."), "grounding"),  # our project, in the Summary
        (comment(priority=ReadPriority(level="skim", reason="It saves 77 percent.")), "grounding"),
        (comment(summary=(*sentences(11, first=4), Sentence(text="The old gauges stay."))), "citations"),
        (note(facts=()), "citations"),
        (saying("Roof number 3 measured 3 millimetres of rain today.", "f9"), "cited_support"),
        (note(project="Nimbus", theme="Clouds"), "known_projects"),
        (comment(tldr=sentences(3, first=5)), "tldr_novelty"),
        (saying("Roof number 5 measured 5 millimetres of rain indeed.", "f5"), "redundancy"),
        (saying("This article discusses rain on roofs."), "preamble"),
        (saying("In conclusion, roofs hear rain."), "preamble"),
        (saying("As an AI language model I like rain."), "preamble"),
        (saying("The roofs hear the rain and the"), "cut_endings"),
        (saying("The roofs hear the rain (and the hail."), "cut_endings"),
        (saying("The roofs hear the rain…"), "cut_endings"),
        (saying("word " * 650 + "ends."), "section_length"),
        (comment(priority=None), "read_priority"),
        (saying("You read a page that a colleague shared and note down things."), "prompt_leak"),
        (saying("They have microphones and gauges with a small model on the device."), "prompt_leak"),
        (saying("Look at https://evil.example/x today."), "links"),
        (saying(f"Use {OWN_KEY} for it."), "secrets"),
        (saying("Use xoxb-1234567890-abcdef for it."), "secrets"),
        (saying("It is **very** loud."), "plain_text"),
    ],
)  # fmt: skip
def test_each_gate_finds_what_it_is_there_for(bad, gate) -> None:
    verdict = failed(bad)[gate]
    assert verdict.message
    assert verdict.expected


def test_a_language_that_was_not_asked_for_is_noticed() -> None:
    german = tuple(
        Sentence(text=f"Das Dach mit der Nummer {n} hat in der Nacht und am Tag {n} Millimeter Regen gemessen.", facts=(f"f{n}",))
        for n in range(4, 16)
    )  # fmt: skip
    russian = tuple(Sentence(text=f"Крыша {n} измерила {n} миллиметров дождя.", facts=(f"f{n}",)) for n in range(4, 16))
    asked_for_german = Ground(GROUND.evidence, FACTS, PROJECTS, language="de")
    assert "language" in failed(comment(summary=german, tldr=german[:3]))
    assert "language" in failed(comment(summary=russian))
    assert "language" in failed(comment(), asked_for_german)
    assert "language" not in failed(comment(summary=german, tldr=german[:3]), asked_for_german)
    assert "language" not in failed(comment(summary=german, tldr=german[:3], model=EXTRACTIVE))


def test_a_translated_name_is_no_invention_and_a_changed_number_is() -> None:
    german = Ground(evidence(f"{PAGE}\n{MEASURED}", language="de"), FACTS, PROJECTS)
    assert "grounding" not in failed(saying("The roofs stand in Germany and in the City of Munich."), german)
    assert "grounding" in failed(saying("The roofs heard 9,417 drops of it."), german)


def test_a_project_may_be_named_in_projects_and_a_page_that_says_our_words_is_no_leak() -> None:
    assert "grounding" not in failed(note(relevance="Drizzle and its Edge sensing fit."))
    quoting = Ground(evidence(f"{PAGE}\n{MEASURED}\n{PROMPT}"), FACTS, PROJECTS, private=GROUND.private)
    assert "prompt_leak" not in failed(saying(PROMPT), quoting)


def test_a_source_with_few_facts_may_say_them_in_tldr_and_summary() -> None:
    few = Ground(GROUND.evidence, FACTS.model_copy(update={"items": FACTS.items[:12]}), PROJECTS)
    again = comment(tldr=sentences(3), summary=sentences(10))
    assert "tldr_novelty" in failed(again)
    assert "tldr_novelty" not in failed(again, few)


@pytest.mark.parametrize("token", ["<!here>", "@channel", '"type": "user"'])
def test_a_message_that_would_notify_somebody_is_blocked(token) -> None:
    good = render.message(reviewed())
    if token.startswith('"'):
        user = {"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U1"}]}
        bad = Message(text=good.text, blocks=(*good.blocks, {"type": "rich_text", "elements": [user]}))
    else:
        bad = Message(text=f"{good.text} {token}", blocks=good.blocks)
    assert failed(comment(), message=bad)["mentions"].severity == "block"


def test_the_fixes_take_out_what_the_block_class_gates_would_find() -> None:
    evil = f"**Ask** <!channel> at evil.com with {OWN_KEY}."
    bad = comment(
        tldr=(Sentence(text=evil, facts=("f1",)), *sentences(2)),
        projects=(ProjectNote(theme="theme: EDGE sensing", project="drizzle", relevance=evil, why=evil),),
        priority=ReadPriority(level="skim", reason=evil),
    )
    good = fixed(bad, GROUND)
    assert good.tldr[0].text == f"Ask [mention removed] at [link removed] with {SECRET_REMOVED}."
    assert (good.projects[0].theme, good.projects[0].project) == ("Edge sensing", "Drizzle")
    assert not {"links", "mentions", "secrets", "plain_text", "known_projects"} & set(failed(good))
    assert fixed(good, GROUND) == good


def test_no_link_to_our_projects_stands_alone_or_not_at_all() -> None:
    real = comment().projects[0]
    assert fixed(comment(projects=(NO_LINK, real)), GROUND).projects == (real,)
    wordy = NO_LINK.model_copy(update={"relevance": "Nothing here."})
    assert fixed(comment(projects=(wordy, wordy)), GROUND).projects == (NO_LINK,)


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-12345678-abc", "xapp-1-A1B2-3-abc", "sk-abcdefghijklmnop1234", "sk-proj-abcdefghijklmnop1234", "ghp_abcdefghijklmnop1234",
        "github_pat_11ABCDEFG0123456789abcdef", "AKIAIOSFODNN7EXAMPLE", "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "-----BEGIN RSA PRIVATE KEY----- MIIE abc -----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- MIIE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", OWN_KEY,
    ],
)  # fmt: skip
def test_whatever_looks_like_a_key_is_taken_out(secret) -> None:
    assert redacted(f"Take {secret} now.", (OWN_KEY,)).startswith(f"Take {SECRET_REMOVED}")


@pytest.mark.parametrize(
    "plain", ["sk-learn is scikit-learn", "a risk-free plan", "short", "task-based-scheduling-for-all"]
)
def test_ordinary_words_are_no_keys(plain) -> None:
    assert redacted(plain, ("short",)) == plain
