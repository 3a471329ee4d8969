import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from technoshare.text import contains_quote, defused, normalise, split_sentences, visible

PROSE = """
Version v1.2.3 is out.|It mends the parser.
We moved to Python 3.11.|It is faster.
The rate is 3.5x higher at 99.9% load.|Nobody knows why.
She moved to the U.S. in May.|The U.S. Army noticed.|He stayed in the U.K.|They write.
Dr. Moss and Prof. Reed met Mr. Lee.|They agreed.
Moss et al. (2024) measured it.|Reed et al. [7] did not.
He stopped ... and then went on.|Wait... what?|No!
He said “Stop.”|Then he left.|"Why?" she asked.
(The notes are below.)|The rest is here.
He wrote it (She never read it.) in a day.
It works (see Fig. 3).|Eq. (5) and Sec. 3.2 say why.|Tab. 1 does not.
Call `pool.close(). Then` in this order.|Nothing else works.
This is **new.**|That is _old._|Both are used.
The claim is cited.[12]|The next one is not.
Edit config.yaml and main.py.|Then run make.
Node.js and .NET are fine.|ASP.NET is too.
Use asyncio.TaskGroup here.|It cancels siblings.
See https://example.org/a.b?c=d.|Then come back.
Write to ada.quill@example.org.|She answers.
Use a queue, e.g. Redis, or cf. Knuth.|There are approx. 30 kinds, incl. ours.
The limit is 5 req/s.|Raise it.
It costs $3.50.|It was 1,000.5 yen.
Were Jane and co. at the party?|They left Foo Inc. at noon.
At 5 a.m. Mr. Moss left.|He was back at 6 p.m.|Mrs. Moss was not.
Please turn to p. 55 or pp. 60-61.|It is there.
It uses TLS 1.3, HTTP/2 etc. and more.|It is safe.
"""

LISTS = """
1. The first item|2. The second item|3. The third item
1.) One thing.|2.) Another thing.
a. The first item|b. The second item
• 9. One bullet|• 10. Another bullet
"""


@pytest.mark.parametrize("line", [*PROSE.split("\n")[1:-1], *LISTS.split("\n")[1:-1]])
def test_technical_prose_comes_apart_where_a_reader_would_stop(line: str) -> None:
    expected = line.split("|")
    assert split_sentences(" ".join(expected)) == expected


def test_languages_without_spaces_come_apart_too() -> None:
    assert split_sentences("これは文です。次の文です。", "ja") == ["これは文です。", "次の文です。"]


def test_a_hard_wrapped_sentence_is_one_and_a_list_of_lines_is_several() -> None:
    assert split_sentences("We measured it on\nTuesday. It was a cold \nday.\n") == [
        "We measured it on\nTuesday.",
        "It was a cold \nday.",
    ]
    assert split_sentences("features\ncontact manager\nevents") == ["features", "contact manager", "events"]


def test_an_empty_text_has_no_sentences() -> None:
    assert split_sentences(" \n\t\n") == []


HOSTILE = st.text(alphabet=" .!?()[]*_`12abAB\n\r•⁃\"”'/:,;…。é-\u2028", max_size=60)


@given(st.one_of(st.text(max_size=80), HOSTILE))
def test_splitting_loses_nothing_but_white_space(text: str) -> None:
    pieces = split_sentences(text)
    assert re.sub(r"\s", "", "".join(pieces)) == re.sub(r"\s", "", text)
    assert all(piece and piece == piece.strip() and piece in text for piece in pieces)


@given(HOSTILE)
def test_a_sentence_of_a_text_is_found_in_it_as_a_quote(text: str) -> None:
    assert all(contains_quote(piece, text) for piece in split_sentences(text))


def test_a_quote_is_found_whatever_its_quotes_dashes_and_spaces_look_like() -> None:
    assert contains_quote('the "new" set-up', "It is the “new”\n set\u2011up of Ada.")
    assert not contains_quote("the old set-up", "It is the “new” set-up.")
    assert not contains_quote("  ", "anything")


def test_invisible_characters_do_not_hide_a_word() -> None:
    hidden = "pass\u200bword \u202eabc\U000e0041"
    assert visible(hidden) == "password abc"
    assert normalise(hidden) == "password abc"


@pytest.mark.parametrize(
    "token",
    ["<!channel>", "<!here|here>", "<!date^1^{date}|now>", "<@U012AB>", "<#C012AB|links>", "<!subteam^S1>", "@channel",
     "@Here", "＠everyone", "<\u200b!channel>", "<https://evil.example/x|our wiki>", "@@channel", "@<https://evil.example|channel>"],
)  # fmt: skip
def test_nothing_that_slack_would_act_on_survives(token: str) -> None:
    left = defused(f"Ask {token} now.")
    assert not re.search(r"<[!@#]|https?:|[@＠](?:channel|here|everyone)", left, re.IGNORECASE)
    assert left.startswith("Ask ")


def test_code_and_addresses_that_only_look_alike_stay() -> None:
    for text in ("if a < b and c > d: x", "ada@heretic.example", "List<String> is typed.", "<div> is a tag"):
        assert defused(text) == text
