"""Articles of MediaWiki, as its pages and as its REST API show them: the text without references and boxes."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from technoshare.models import Document
from technoshare.retrieval.documents import clean, decode, html_tree
from technoshare.retrieval.fragment import document_of, lines_of, without_sections
from technoshare.text import squeeze

_BOXES = """
    ambox authority-control catlinks hatnote infobox metadata mw-cite-backlink mw-editsection mw-empty-elt mw-jump-link
    mw-references-wrap navbox navbox-styles navigation-not-searchable noprint portalbox printfooter reference references
    refbegin reflist sidebar sistersitebox toc vertical-navbox
"""
"""What is not the article's running text, by class."""
_ASIDE = frozenset(_BOXES.split())
_AMBIGUOUS = "//*[@id='disambigbox' or @property='mw:PageProp/disambiguation' or contains(@class, 'dmbox-disambig')]"
_DISPLAYED = re.compile(r"\{\\displaystyle\s*(.*)\}", re.DOTALL)
_APPENDICES = frozenset(
    """
    see also|references|notes|notes and references|footnotes|citations|sources|works cited|further reading|bibliography
    |external links|einzelnachweise|weblinks|literatur|siehe auch|anmerkungen|notes et références|références|voir aussi
    |liens externes|bibliographie|articles connexes|referencias|véase también|enlaces externos|bibliografía|note
    |bibliografia|voci correlate|collegamenti esterni|altri progetti|referências|ver também|ligações externas
    |bronnen|zie ook|externe links|przypisy|linki zewnętrzne|примечания|литература|ссылки|см. также|脚注|出典|参考文献
    |関連項目|外部リンク|参考资料|参考資料|外部链接|外部連結|参见|參見|각주|외부 링크
    """.replace("\n", "").replace("    ", "").split("|")
)  # fmt: skip
"""Titles of the sections that hold lists of other texts, in the largest Wikipedias."""


def mediawiki_document(body: bytes, charset: str = "") -> Document:
    """Return an article's text by sections; a page that lists several meanings has the obstacle `disambiguation`."""
    tree = html_tree(decode(body, charset))
    article = next(iter(tree.xpath("//*[@id='mw-content-text']")), tree)
    title = next(iter(tree.xpath("//*[@id='firstHeading']") or tree.xpath("//title")), None)
    ambiguous = bool(tree.xpath(_AMBIGUOUS))
    name = clean(squeeze(title.text_content())) if title is not None else ""
    _prune(article)
    document = document_of(without_sections(lines_of(article), _APPENDICES), tree.get("lang", ""))
    return document.model_copy(update={"title": name, "obstacle": "disambiguation" if ambiguous else ""})


def _prune(article: HtmlElement) -> None:
    for element in tuple(article.iter()):
        outside = element is not article and element.getparent() is not None
        if outside and _ASIDE & set(element.get("class", "").split()):
            element.drop_tree()
    for formula in tuple(article.iter("math")):
        _flatten(formula)


def _flatten(formula: HtmlElement) -> None:
    """Replace a formula by its LaTeX on one line; MediaWiki hides it from the eye behind a picture."""
    written = _DISPLAYED.fullmatch(formula.get("alttext", "").strip())
    line = squeeze(written[1] if written else formula.get("alttext", "") or "".join(formula.itertext()))
    shown = formula.getparent()
    if shown is not None and shown.get("style"):
        del shown.attrib["style"]
    for child in list(formula):
        formula.remove(child)
    formula.text = line
