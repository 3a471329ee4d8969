"""Markdown as a person reads it: without badges, pictures, HTML and hard line breaks; headings stay."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

LONGEST_CODE = 12
"""Lines of a code block that are kept: enough for a quick start, and a longer one explains nothing in a comment."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(
    r"</?(?:a|b|big|blockquote|br|center|code|dd|del|details|div|dl|dt|em|figure|font|h[1-6]|hr|i|img|ins|kbd|li|ol|p"
    r"|picture|pre|s|small|source|span|strong|sub|summary|sup|svg|table|tbody|td|tfoot|th|thead|tr|u|ul|video)"
    r"\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"!\[[^\[\]]{0,500}\](?:\([^()\s]{0,2000}(?:\s[^()]{0,300})?\)|\[[^\[\]]{0,200}\])")
_LINK = re.compile(r"\[([^\[\]]{0,500})\](?:\([^()\s]{0,2000}(?:\s[^()]{0,300})?\)|\[[^\[\]]{0,200}\])")
_DEFINITION = re.compile(r" {0,3}\[[^\]\n]+\]:\s")
_ADDRESS = re.compile(r"<(https?://[^<>\s]+)>")
_ITALIC = re.compile(r"(?<![\w*])\*([^*\s][^*\n]*)\*(?![\w*])")
_FENCE = re.compile(r"\s*(```+|~~~+)")
_RULE = re.compile(r"\s*(?:[-*_=]\s*){3,}$|(?=[^-]*-)[\s|:+-]+$")
_HEADING = re.compile(r" {0,3}#{1,6}\s+\S")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})\s*$")
_BLOCK = re.compile(r"\s*(?:[-*+]\s|\d{1,3}[.)]\s|\||>)")


def readable(markdown: str) -> str:
    """Return the text of `markdown`: one paragraph or list item a line, headings as `# heading`."""
    whole = _TAG.sub("", _COMMENT.sub("", markdown.replace("\r\n", "\n")))
    return "\n".join(line for line in map(str.strip, _joined(_lines(whole))) if line)


def _lines(text: str) -> Iterator[str]:
    """Lines outside code without their markup; of a code block its first lines without the comments in it."""
    fence, code = "", 0
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence, code = ("", 0) if fence else (mark[1], 0)
            yield ""
        elif not fence:
            yield _plain(line)
        elif code < LONGEST_CODE and not line.lstrip().startswith("#"):  # a shell comment would pass for a heading
            code += 1
            yield from (line, "")


def _plain(line: str) -> str:
    if _DEFINITION.match(line):
        return ""
    line = _LINK.sub(r"\1", _LINK.sub(r"\1", _PICTURE.sub("", line)))  # twice: a link around a linked word
    return html.unescape(_ITALIC.sub(r"\1", _ADDRESS.sub(r"\1", line).replace("**", "")))


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """Join hard-wrapped lines into paragraphs; list items, table rows and headings begin anew."""
    paragraph = ""
    for line in lines:
        if paragraph and _UNDERLINE.match(line) and not _BLOCK.match(paragraph):
            yield f"# {paragraph}"
            paragraph = ""
        elif not line.strip() or _RULE.match(line) or _HEADING.match(line):
            yield from (paragraph, "" if _RULE.match(line) else line)
            paragraph = ""
        elif paragraph and not _BLOCK.match(line):
            paragraph += f" {line.strip()}"
        else:
            yield paragraph
            paragraph = line.strip()
    yield paragraph
