"""Plain text and Markdown: one document, with sections where `#` headings stand."""

import re

from technoshare.models import Document
from technoshare.retrieval.documents import clean, decode, sections_of
from technoshare.retrieval.language import language_of

_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*")


def text_document(body: bytes, charset: str = "") -> Document:
    """Return the body's text, cleaned; the first `#` heading is the title."""
    text = clean(decode(body, charset))
    sections = sections_of(text, _title)
    first = next((title for line in text.splitlines() if (title := _title(line))), "")
    return Document(text=text, sections=sections, title=first, language=language_of(text))


def _title(line: str) -> str:
    found = _HEADING.fullmatch(line)
    return found[1] if found else ""
