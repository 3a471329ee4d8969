"""HTML that is all text: blocks become lines, code keeps its shape, and nothing odd crashes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from technoshare.retrieval.fragment import fragment_document
from technoshare.retrieval.mediawiki import mediawiki_document


def text_of(source: str) -> str:
    return fragment_document(source.encode()).text


def test_every_block_is_a_line_whatever_the_source_breaks():
    assert text_of("One\n  line &gt; <i>here</i>.<p>Another\n<br>and a third<div>four</div>five") == (
        "One line > here.\nAnother\nand a third\nfour\nfive"
    )


def test_code_keeps_its_lines_and_its_indentation():
    assert text_of("<p>So:</p><pre><code>def f(x):\n\n\treturn <b>x</b>\n  # end</code></pre>Done") == (
        "So:\ndef f(x):\n    return x\n  # end\nDone"
    )


def test_items_and_rows_are_lines_of_their_own():
    html = "<ul><li>one</li><li><p>two</p></li></ul><table><tr><th>a</th><td>b</td></tr><tr><td></td><td></td></tr></table>"
    assert text_of(html) == "- one\ntwo\na | b"


def test_headings_begin_sections():
    document = fragment_document(b"<p>Before.</p><h2>The <i>why</i></h2><p>After.</p>")
    assert [(one.title, document.text[one.start : one.end]) for one in document.sections] == [
        ("", "Before."),
        ("The why", "After."),
    ]


def test_what_a_reader_does_not_see_is_no_text():
    hidden = '<script>a()</script><style>p{}</style><p hidden>b</p><p style="color:red; display : none">c</p><template>d</template>'
    assert text_of(f"{hidden}<p>Seen\u200b.</p>") == "Seen."


def test_nothing_is_nothing():
    assert text_of("") == text_of("<p> </p><hr>") == text_of("<ul><li></li></ul>") == ""


ODD = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<pre>", "</pre>", "<li>", "<h2>", "</h2>", "<tr><td>", "<br>", "<div hidden>", "<math alttext='x'>",
         "<style>", "</style>", "<sup class=reference>", "\ue000", "\ue001", "\ue002", " ", "\n", "word", "\x08", "\uffff", "&#0;", "&#8;", "&#xFFFE;", "<!--", "-->"]
    )
    | st.text(max_size=5),
    max_size=40,
).map("".join)  # fmt: skip


@settings(deadline=None)
@given(ODD)
def test_any_html_becomes_lines_without_blanks_at_their_ends(source):
    for read in (fragment_document, mediawiki_document):
        document = read(source.encode("utf-8", "replace"))
        for line in document.text.splitlines():
            assert line.strip()
            assert line == line.rstrip()
        assert all(0 <= one.start < one.end <= len(document.text) for one in document.sections)
