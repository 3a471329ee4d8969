"""Write a PDF of one or two columns from plain text, for evaluation examples of our own.

`python -m tools.write_pdf evalsets/texts/report.txt report.pdf --columns 2`. The text's first line is the title, a line
that begins with `# ` a heading, and blank lines part paragraphs. The same text always gives the same bytes.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN, GAP = 595, 842, 56, 24
"""Points: A4, with 2 cm around it."""
BODY, HEADING, TITLE = 9.5, 11.5, 16.0
LEADING = 1.32

_NARROW, _THIN, _WIDE = set("ijl.,:;'|!"), set(" ftrI()[]-/"), set("mwMW%@")
_SHARES = ((_NARROW, 0.25), (_THIN, 0.32), (_WIDE, 0.86))


class Line(NamedTuple):
    """A line of text; `space` is what stands above it, in points."""

    text: str
    size: float = BODY
    bold: bool = False
    space: float = 0.0


class Placed(NamedTuple):
    """A line with its place on a page, in points from the lower left corner."""

    line: Line
    x: float
    y: float


def width_of(text: str, size: float) -> float:
    """Return roughly how wide Helvetica sets a text, in points, and never too little."""
    return size * sum(next((share for letters, share in _SHARES if letter in letters), 0.58) for letter in text)


def lines_of(text: str, width: float) -> Iterator[Line]:
    """Yield the lines that the text is set in, below its title."""
    for block in text.strip().split("\n\n")[1:]:
        heading = block.startswith("# ")
        size = HEADING if heading else BODY
        words = block.removeprefix("# ").split()
        for number, line in enumerate(_broken(words, width, size)):
            yield Line(line, size, heading, space=0 if number else 7.0 if heading else 4.0)


def _broken(words: list[str], width: float, size: float) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}".strip()
        if line and width_of(longer, size) > width:
            yield line
            longer = word
        line = longer
    yield line


def pages_of(title: str, lines: list[Line], columns: int) -> list[list[Placed]]:
    """Return each page's lines: down one column, then the next, then the next page."""
    step = (WIDTH - 2 * MARGIN + GAP) / columns
    pages = [[Placed(Line(title, TITLE, bold=True), MARGIN, HEIGHT - MARGIN - TITLE)]]
    top = HEIGHT - MARGIN - 2.2 * TITLE
    column, y = 0, top
    for line in lines:
        y -= line.space + line.size * LEADING
        if y < MARGIN:
            column += 1
            if column == columns:
                pages.append([])
                column, top = 0, HEIGHT - MARGIN
            y = top - line.size * LEADING
        pages[-1].append(Placed(line, MARGIN + column * step, y))
    return pages


def pdf_of(text: str, columns: int) -> bytes:
    """Return the file."""
    title = text.strip().split("\n", 1)[0]
    lines = list(lines_of(text, (WIDTH - 2 * MARGIN + GAP) / columns - GAP))
    pages = pages_of(title, lines, columns)
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        b"<< /Title (" + _escaped(title) + b") /Producer (TechnoShare write_pdf) >>",
    ]
    for number, page in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {7 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode()
        )
        stream = zlib.compress(b"\n".join(map(_drawn, page)), 9)
        told = f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode()
        objects.append(told + stream + b"\nendstream")
    return _file(objects)


def _drawn(placed: Placed) -> bytes:
    line = placed.line
    font = "F2" if line.bold else "F1"
    place = f"BT /{font} {line.size:g} Tf {placed.x:.2f} {placed.y:.2f} Td (".encode()
    return place + _escaped(line.text) + b") Tj ET"


def _escaped(text: str) -> bytes:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode("cp1252")


def _file(objects: list[bytes]) -> bytes:
    """Return header, numbered objects, the table of where they stand, and the trailer."""
    body, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    tail = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R /Info 5 0 R >>\n"
    return body + f"{tail}startxref\n{len(body)}\n%%EOF\n".encode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("pdf", type=Path)
    parser.add_argument("--columns", type=int, choices=(1, 2), default=1)
    arguments = parser.parse_args()
    arguments.pdf.write_bytes(pdf_of(arguments.text.read_text("utf-8"), arguments.columns))
    print(f"{arguments.pdf}: {arguments.pdf.stat().st_size:,} bytes")
