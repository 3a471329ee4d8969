import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from technoshare.quality.grounding import Finding, Grounds, findings, ungrounded
from technoshare.text import split_sentences
from tests.grounding.__main__ import (
    MOST_FLAGGED,
    MOST_FLAGGED_EDITED,
    MOST_FLAGGED_VERBATIM,
    copies,
    flagged,
    flagged_stretches,
    missed,
)
from tests.grounding.planting import KINDS, LEAST_CAUGHT
from tests.grounding.texts import read

SAME = """
It has 1,200 users.|It has 1.2k users.|It has 1 200 users.|It has 1.2 thousand users.|It has twelve hundred users.
It cost 1,200,000 euros.|It cost €1.2 million.|It cost 1.2M EUR.
There were 181,674,817 rows.|There were 181.7 million rows.|There were about 180 million rows.|There were more than 180 million rows.|There were nearly 182 million rows.
It rose by 50 %.|It rose by 50 percent.|It rose by fifty per cent.|It rose by half.
The share is 0.5.|The share is 50 %.
It is 3 times faster.|It is 3x faster.|It is three times as fast.|It is a threefold gain.
It is 1.4 times as fast.|It is 40 % faster.
It began in 1994.|It began in the 1990s.
It takes 10–20 days.|It takes between 10 and 20 days.|It takes 10 to 20 days.
It costs $40.|It costs 40 dollars.|It costs USD 40.
It takes 250 ms.|It takes 250 milliseconds.|It takes 0.25 seconds.|It takes a quarter of a second.
It needs 512 kB.|It needs 512 KB.|It needs 512 kilobytes.
It needs 16 GiB.|It needs 16 gigabytes.
It is 2.5 km away.|It is 2.5 kilometres away.|It is 2,500 m away.
It ran for 36 hours.|It ran for 36 h.|It ran for a day and a half.
It ran for a fortnight.|It ran for 14 days.|It ran for two weeks.
It ran for a year.|It ran for twelve months.
It opens on 25 November 2026.|It opens on 2026-11-25.|It opens on Nov 25, 2026.|It opens on 25.11.2026.|It opens in November 2026.|It opens on November 25.|It opens in 2026.
It opens at 18:00.|It opens at 6 pm.|It opens at 6 p.m. every day.
It needs v1.2.|It needs version 1.2.|It needs release 1.2.
It needs Python 3.11.4.|It needs Python 3.11.|It needs Python 3.11 or newer.
Two of three users left.|About 67 % of users left.
A third of users left.|Some 33 percent of users left.
It serves a dozen towns.|It serves 12 towns.
He is 41 years old.|The 41-year-old left.
It is made in Germany.|It is a German product.|It is made by Germans.
It needs a Large Language Model.|It needs an LLM.|It needs LLMs.
It needs an HBM chip.|It needs High Bandwidth Memory.
We met Ada Quill.|It is Ada Quill's idea.|It is Quill’s idea.
It is open-source JavaScript.|It is Java Script, open source.|It is OpenSource.
She said “it was the best year of our lives”.|She said "it was the best year of our lives."|She said 'It was the best year of our lives'.|She said “it was … our lives”.|She said “[it] was the best year”.
See https://docs.example.org/a/.|See docs.example.org/a.|See https://docs.example.org/a.|It is on docs.example.org.
Read arXiv:2401.01234v2.|Read arXiv 2401.01234v2.
It is CVE-2026-1234.|It is cve-2026-1234.
It was PR #4471.|It was #4471.
Write to ada@example.org.|Write to Ada@example.org.
Thanks to @ada-q.|Thanks to @ada-q!
It uses the SQuAD set.|It uses the squad set.
It is written in ＧＯ １．２２.|It is written in Go 1.22.
"""

CHANGED = """
It has 1,200 users.|It has 1.3k users.|1.3k
It cost 1,200,000 euros.|It cost 1.4 million euros.|1.4 million euros
It cost 1,200,000 euros.|It cost 1.2 million dollars.|1.2 million dollars
There were 181,674,817 rows.|There were 187 million rows.|187 million
It rose by 50 %.|It rose by 60 %.|60 %
It rose by 50 %.|It hit 50 GB.|50 GB
It is 3 times faster.|It is 7x faster.|7x
It began in 1994.|It began in the 1980s.|1980s
It takes 10–20 days.|It takes between 10 and 30 days.|30 days
It needs 512 kB.|It needs 512 MB.|512 MB
It ran for 36 hours.|It ran for 36 minutes.|36 minutes
It opens on 25 November 2026.|It opens on 26 November 2026.|26 November 2026
It opens on 25 November 2026.|It opens in October.|October
It opens on 25 November 2026.|It opens in 2027.|2027
It opens at 18:00.|It opens at 7 pm.|7 pm
It needs version 1.2.|It needs version 1.20.|1.20
It needs Python 3.10.|It needs Python 3.1.|3.1
It needs v2.|It needs v3.|v3
We met Ada Quill.|We met Ada Brook.|Brook
We met Ada Quill.|Gideon Brook was there.|Gideon Brook
We met her in Porto.|We met her in Red Hook.|Red Hook
It runs on the NX-300.|It runs on the NX-400.|NX-400
She said it was good.|She said “it was the best year of our lives”.|it was the best year of our lives
She said “it was a good year for all of us”.|She said “it was a bad year for all of us”.|it was a bad year for all of us
See https://docs.example.org/a.|See https://docs.example.org/a/b.|https://docs.example.org/a/b
See https://docs.example.org/abc.|See https://docs.example.org/a.|https://docs.example.org/a
See https://docs.example.org/a.|See docs.example.org.evil.com.|docs.example.org.evil.com
See https://docs.example.org/a.|See https://docs.example.org@evil.com/a.|https://docs.example.org@evil.com/a
See docs.example.org.|See dοcs.example.org.|dοcs.example.org
See docs.example.org.|See evil\u200b.com.|evil\u200b.com
Read arXiv:2401.01234.|Read arXiv:2401.01235.|arXiv:2401.01235
It is CVE-2026-1234.|It is CVE-2026-12345.|CVE-2026-12345
It was #4471.|It was #447.|#447
It is 10.5555/zn.884213.|It is 10.5555/zn.884214.|10.5555/zn.884214
Write to ada@example.org.|Write to bob@example.org.|bob@example.org
Thanks to @ada-q.|Thanks to @bob.|@bob
It is for all.|Listen, <!channel>, now.|<!channel>
It is for all.|Listen, @here, now.|@here
Run `make all`.|Run `make none --force`.|make none --force
"""


def _rows(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.strip().splitlines()]


@pytest.mark.parametrize(("source", "said"), [(one, other) for row in _rows(SAME) for one in row[:1] for other in row])
def test_the_same_said_in_another_way_is_grounded(source: str, said: str) -> None:
    assert ungrounded(said, f"We looked at it for long. {source} That is all.") == []


@pytest.mark.parametrize(("source", "said", "item"), _rows(CHANGED))
def test_a_detail_that_the_source_does_not_contain_is_named_as_it_stands(source: str, said: str, item: str) -> None:
    assert ungrounded(said, f"We looked at it for long. {source} That is all.") == [item]


PAGE = """Ada Quill of Drizzle Labs presented version 2.4 in Porto. It serves 4,200 towns and costs 12 euros a month."""


def test_a_finding_tells_its_kind_and_sentence_and_a_small_count_is_only_soft() -> None:
    summary = "Two goals are named. Version 2.5 serves 4,200 towns. Gideon Brook was there."
    assert findings(summary, PAGE) == (
        Finding("number", "Two", 0, soft=True),
        Finding("version", "2.5", 1),
        Finding("name", "Gideon Brook", 2),
    )
    assert ungrounded(summary, PAGE) == ["2.5", "Gideon Brook"]


def test_what_is_said_twice_is_listed_once_and_in_the_order_of_the_summary() -> None:
    assert ungrounded("Brook has 77 towns. So 77 it is, says Brook, not 78.", PAGE) == ["Brook", "77", "78"]


def test_several_texts_count_together_and_each_section_may_have_its_own() -> None:
    said = "Our Loomwork could use Drizzle, see https://drizzle.example.org/a."
    assert ungrounded(said, PAGE) == ["Loomwork", "https://drizzle.example.org/a"]
    assert Grounds(PAGE, "https://drizzle.example.org/a", "Loomwork: sensors in the field").findings(said) == ()


def test_a_source_in_lower_case_knows_its_names_and_a_summary_in_lower_case_has_none() -> None:
    assert ungrounded("It came from Ada Quill of Drizzle Labs.", PAGE.lower()) == []
    assert ungrounded("It came from Gideon Brook.", PAGE.lower()) == ["Gideon Brook"]
    assert ungrounded("it came from gideon brook and serves 4,200 towns.", PAGE) == []


def test_ordinary_words_with_capitals_are_no_names() -> None:
    for said in (
        "Reviewers liked it. Retraining helps, I think. On Monday the API and its CPU were fine. TLDR: Speed matters.",
        "1. Speed: It serves towns.\n2. Price: It costs money.\n- Scope: small.",
        "Key Findings of the Town Survey: Women's Groups Protest Again.",
        "“Nothing new,” they said. (However, it works.) Users who read the README liked the CLI.",
    ):
        assert ungrounded(said, PAGE) == []


def test_german_nouns_are_no_names_but_numbers_links_and_full_names_count() -> None:
    said = "Die Software bedient nach Angaben der Firma 4.200 Städte und kostet 12 Euro im Monat."
    assert ungrounded(said, PAGE) == []
    assert ungrounded(f"{said} Das sagt die Chefin Ulrike Sandmeier auf evil.example.com mit 900 Kunden.", PAGE) == [
        "Chefin Ulrike Sandmeier",
        "evil.example.com",
        "900",
    ]


def test_a_language_without_capitals_is_judged_by_its_numbers_and_links() -> None:
    assert ungrounded("これは 4,200 の町で使われ、77 ユーロです。", PAGE) == ["77"]


# ---------------------------------------------------------------- figures on texts of our own


TEXTS = read()


def test_there_are_two_hundred_paraphrases_and_none_is_a_copy() -> None:
    assert len(TEXTS) >= 50
    assert sum(len(text.summaries) for text in TEXTS) >= 200
    assert sum(text.held_out for text in TEXTS) * 3 >= len(TEXTS) - 2
    assert copies(TEXTS) == []


@pytest.mark.parametrize("kind", KINDS)
def test_planted_errors_are_caught(kind: str) -> None:
    rate, lost = missed(kind, TEXTS)
    assert rate.of >= 100
    assert rate.share >= LEAST_CAUGHT[kind], lost


def test_honest_summaries_are_rarely_flagged() -> None:
    assert flagged(TEXTS).share <= MOST_FLAGGED


def test_sentences_of_the_source_are_not_flagged_and_hardly_so_when_they_say_a_little_more() -> None:
    sources = [text.body for text in TEXTS]
    assert flagged_stretches(sources, edited=False)[0].share <= MOST_FLAGGED_VERBATIM
    assert flagged_stretches(sources, edited=True)[0].share <= MOST_FLAGGED_EDITED


# ---------------------------------------------------------------- whatever anybody writes


PIECES = """half million hundred dozen and a 1,200 1.2 v1.2 2026-11-25 25 Nov May (MoE) Dr. Ada Quill's GmbH @x https://a.b
`x` “two words here” … ' nine-tenths Q1 5m 10k 7B 8N1 x 0 99th 10-20 $ CVE-2026-1 #12 www. a@b.co İ ﬁ"""
ANYTHING = st.one_of(
    st.text(max_size=120),
    st.text(alphabet=" 0123456789.,:-/%$€½'\"“”`@#<>!()[]\nABCaxyzkMm\u200b\u00a0…", max_size=120),
    st.lists(
        st.sampled_from(PIECES.split()),
        max_size=25,
    ).map(" ".join),
)


@given(ANYTHING, ANYTHING)
@example("9" * 400 + "." + "9" * 400, "million " * 60)
@example("hundred " * 200, "0." + "0" * 400 + "1")
def test_every_item_stands_in_the_summary_as_it_is(summary: str, source: str) -> None:
    sentences = len(split_sentences(summary))
    for finding in findings(summary, source):
        assert finding.text
        assert finding.text in summary
        assert 0 <= finding.sentence < sentences
    assert set(ungrounded(summary, source)) <= {finding.text for finding in findings(summary, source)}


@given(ANYTHING)
def test_a_text_is_grounded_in_itself(text: str) -> None:
    assert findings(text, text) == ()


@given(st.sampled_from(TEXTS), st.data())
@settings(max_examples=60)
def test_a_stretch_of_whole_words_of_a_source_has_no_findings(text: object, data: st.DataObject) -> None:
    words = text.body.split()  # type: ignore[attr-defined]
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert findings(" ".join(words[start:end]), text.source) == ()  # type: ignore[attr-defined]


def test_a_stretch_may_end_in_the_middle_of_an_amount() -> None:
    assert findings("It serves 1.2", "It serves 1.2 million towns.") == ()


@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "a.", "1.", "'a ", '"', "A-", "a@", "1,000,", "half ", "“", "\u200b", "May ", "A B "]
)
def test_a_long_hostile_text_ends_soon(piece: str) -> None:
    findings(piece * 20_000, piece * 10_000 + "!")
