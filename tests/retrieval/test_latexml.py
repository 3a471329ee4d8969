import pytest

from technoshare.errors import Unusable
from technoshare.retrieval.latexml import latexml_document

URL = "https://arxiv.org/html/2611.99902v1"

PAPER = """<!DOCTYPE html><html lang="en"><head><title>Paper</title></head><body>
<header class="ltx_page_header">Report issue</header><nav class="ltx_TOC"><p class="ltx_p">1 Introduction</p></nav>
<article class="ltx_document">
<h1 class="ltx_title ltx_title_document">Slow Queues<br>Considered Useful</h1>
<div class="ltx_authors"><span class="ltx_creator"><span class="ltx_personname">Ada Winter<sup>1</sup><br>University of Nowhere</span></span>
<span class="ltx_creator"><span class="ltx_personname">Bela Sommer</span></span></div>
<div class="ltx_abstract"><h6 class="ltx_title ltx_title_abstract">Abstract</h6><p class="ltx_p">We slow queues down.</p></div>
<section class="ltx_section"><h2 class="ltx_title ltx_title_section"><span class="ltx_tag">1 </span>Introduction</h2>
<p class="ltx_p">Errors fell by <math alttext="14.2\\%"><semantics><mrow><mn>14.2</mn><mo>%</mo></mrow><annotation encoding="application/x-tex">14.2\\%</annotation></semantics></math>
over <math alttext="10^{-3}"><semantics><msup><mn>10</mn><mrow><mo>-</mo><mn>3</mn></mrow></msup><annotation encoding="application/x-tex">10^{-3}</annotation></semantics></math>
seconds<span class="ltx_note"><span class="ltx_note_outer">1 On one machine.</span></span>, as others found <cite class="ltx_cite">[7]</cite>.<!-- hidden --></p>
<section class="ltx_subsection"><h3 class="ltx_title ltx_title_subsection">1.1 Table</h3>
<figure><figcaption class="ltx_caption">Table 1: Times.</figcaption><table class="ltx_tabular">
<tr class="ltx_tr"><th class="ltx_td">Method</th><th class="ltx_td">s</th></tr><tr class="ltx_tr"><td class="ltx_td">Ours</td><td class="ltx_td">4.1</td></tr></table></figure>
</section></section>
<section class="ltx_bibliography"><h2 class="ltx_title ltx_title_bibliography">References</h2><p class="ltx_p">Somebody, 2020.</p></section>
<section class="ltx_appendix"><h2 class="ltx_title ltx_title_appendix">Appendix A</h2><p class="ltx_p">More numbers.</p></section>
</article></body></html>"""


def test_a_paper_is_read_by_its_sections_without_references_and_footnotes():
    paper = latexml_document(PAPER.encode(), URL)
    assert paper.title == "Slow Queues Considered Useful"
    assert paper.authors == ("Ada Winter", "Bela Sommer")
    assert paper.language == "en"
    assert [(each.title, paper.text[each.start : each.end]) for each in paper.sections] == [
        ("Abstract", "We slow queues down."),
        ("1 Introduction", "Errors fell by 14.2% over 10^{-3} seconds, as others found [7]."),
        ("1.1 Table", "Table 1: Times.\nMethod | s\nOurs | 4.1"),
        ("Appendix A", "More numbers."),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"<html><body><p>HTML is not available for this paper.</p></body></html>", b"\x00\xff"]
)
def test_a_page_without_a_paper_is_unusable(body):
    with pytest.raises(Unusable, match="holds no paper in HTML"):
        latexml_document(body, URL)
