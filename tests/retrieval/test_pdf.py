import pytest

from technoshare.errors import Unusable
from technoshare.retrieval.pdf import MAX_PAGES, pdf_document

Line = tuple[int, int, str]
"""x, y and text; y grows upwards from the bottom of a 612 × 792 page."""


def column(*lines: str, x: int = 72, top: int = 720) -> list[Line]:
    return [(x, top - 14 * number, line) for number, line in enumerate(lines)]


def pdf(*pages: list[Line], info: str = "", trailer: str = "") -> bytes:
    """Write a PDF by hand: one font, one content stream a page."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< {info} >>",
    ]
    kids = []
    for lines in pages:
        shown = "".join(f"BT /F1 9 Tf {x} {y} Td ({text}) Tj ET\n" for x, y, text in lines)
        objects.append(f"<< /Length {len(shown)} >>\nstream\n{shown}endstream")
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R {fonts} >>")
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R /Info 4 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF"
    return out + end.encode()


BODY = column(
    "1 Introduction",
    "A job that waits in a table can be looked at while it waits, and that alone is worth an in-",
    "dex. We measured four systems over three months and found that the simplest one was also",
    "the fastest.",
    "The second paragraph starts on a line of its own because the line before it was a short one and",
    "ended with a full stop.",
)


def test_lines_become_paragraphs_and_broken_words_whole():
    text = pdf_document(pdf(BODY)).text
    assert text.splitlines() == [
        "1 Introduction",
        "A job that waits in a table can be looked at while it waits, and that alone is worth an index. We measured four systems over three months and found that the simplest one was also the fastest.",
        "The second paragraph starts on a line of its own because the line before it was a short one and ended with a full stop.",
    ]
    assert not set(text) & set("\ufffe\x02\r")


def test_a_line_that_begins_with_a_number_is_no_heading_and_a_bullet_is_a_line():
    lines = column(
        "The largest run needed almost",
        "5 GB of memory and a",
        "GPU. That was all.",
        "- one thing",
        "- another (3)",
        "3 Results of ASN.1",
        "They hold.",
    )
    assert pdf_document(pdf(lines)).text.splitlines() == [
        "The largest run needed almost 5 GB of memory and a GPU. That was all.",
        "- one thing",
        "- another (3)",
        "3 Results of ASN.1",
        "They hold.",
    ]


def test_sections_know_their_page_and_heading():
    found = pdf_document(pdf(BODY, column("It goes on over here.", "2 Method", "We count rows.")))
    assert [(each.page, each.title, found.text[each.start : each.end]) for each in found.sections[1:]] == [
        (2, "1 Introduction", "It goes on over here."),
        (2, "2 Method", "We count rows."),
    ]
    assert found.sections[0].page == 1
    assert found.metadata == {"pages": "2"}
    assert found.language == "en"


def test_references_are_cut_at_their_last_heading():
    contents = column("Contents", "References", "Introduction")
    found = pdf_document(
        pdf(
            contents,
            BODY,
            column("See the references of others.", "7 References", "[1] Somebody. 2020."),
            column("[2] Else. 2021."),
        )
    )
    assert "See the references of others." in found.text
    assert "Somebody" not in found.text
    assert "Else" not in found.text
    assert found.sections[-1].page == 3


def test_a_heading_of_references_in_the_table_of_contents_cuts_nothing():
    found = pdf_document(pdf(column("Contents", "References"), BODY, BODY, BODY))
    assert found.text.count("ended with a full stop") == 3


def test_stamp_and_page_numbers_are_not_text():
    found = pdf_document(pdf([*BODY, (72, 40, "12"), (20, 400, "arXiv:2501.10120v1 [cs.IR] 17 Jan 2025")]))
    assert "arXiv:" not in found.text
    assert "12" not in found.text


def test_two_columns_are_read_one_after_the_other():
    left = column("Left one of the text", "left two of the text", "left three ends.", x=60)
    right = column("Right one of the text", "right two of the text", "right three ends.", x=330)
    assert pdf_document(pdf(left + right)).text == (
        "Left one of the text left two of the text left three ends.\nRight one of the text right two of the text right three ends."
    )


LEFT = column("The left column has a hyphen-", "ated word and goes on until", "it ends.", x=60, top=690)
RIGHT = column(
    "The right column is read after", "the left one, however the file", "was written by its program.", x=330, top=690
)
COLUMNS = (
    "The left column has a hyphenated word and goes on until it ends.\n"
    "The right column is read after the left one, however the file was written by its program."
)


def test_columns_that_the_file_holds_line_by_line_are_read_one_after_the_other():
    mixed = [line for pair in zip(LEFT, RIGHT, strict=True) for line in pair]
    assert pdf_document(pdf(mixed)).text == COLUMNS


def test_a_line_over_both_columns_is_read_where_it_stands():
    title = "A title in small letters that goes on and on until it has crossed the middle of the page by far"
    mixed = [(60, 740 - 20, title), *(line for pair in zip(LEFT, RIGHT, strict=True) for line in pair)]
    text = pdf_document(pdf(mixed)).text
    assert text.index("A title") < text.index("The left column") < text.index("The right column")
    assert "it ends.\nThe right" in text


def test_a_table_of_short_cells_is_read_line_by_line():
    rows = [(x, 700 - 14 * n, cell) for n in range(6) for x, cell in ((60, f"key {n}"), (330, f"val {n}"))]
    assert "key 1 val 1" in pdf_document(pdf(rows)).text


def test_running_heads_and_decorated_page_numbers_are_not_text():
    pages = [
        [(72, 760, f"{n} Moreau et al."), *BODY, (290, 30, f"- {n} -"), (72, 44, "Preprint. Under review.")]
        for n in range(1, 5)
    ]
    found = pdf_document(pdf(*pages))
    assert "Moreau" not in found.text
    assert "Preprint" not in found.text
    assert "- 2 -" not in found.text
    assert found.text.count("1 Introduction") == 4


def test_a_line_at_the_top_of_one_page_only_is_text():
    found = pdf_document(pdf([(72, 760, "A remark above the text."), *BODY], BODY, BODY))
    assert "A remark above the text." in found.text


def test_what_the_file_says_of_itself_is_kept():
    found = pdf_document(
        pdf(BODY, info="/Title (Tables as queues) /Author (Ines Moreau; Bo Li) /CreationDate (D:20260314120000Z)")
    )
    assert (found.title, found.authors, found.published) == ("Tables as queues", ("Ines Moreau", "Bo Li"), "2026-03-14")


def test_an_encrypted_file_says_so():
    locked = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{'41' * 32}> /U <{'42' * 32}> /P -4 >> /ID [<01> <01>]"
    with pytest.raises(Unusable, match="the PDF is encrypted") as why:
        pdf_document(pdf(BODY, trailer=locked))
    assert why.value.obstacle == "encrypted_pdf"


def test_a_file_of_images_has_no_text():
    found = pdf_document(pdf([]))
    assert (found.text, found.sections, found.obstacle) == ("", (), "no_text")


@pytest.mark.parametrize("body", [b"", b"%PDF-1.4", b"%PDF-1.7\ngarbage" * 20])
def test_a_damaged_file_says_so(body):
    with pytest.raises(Unusable, match="the PDF is damaged"):
        pdf_document(body)


def test_a_book_is_read_up_to_the_limit():
    found = pdf_document(pdf(*[column(f"This is page {number} of a book.") for number in range(1, MAX_PAGES + 21)]))
    assert found.metadata == {"pages": str(MAX_PAGES + 20), "pages_read": str(MAX_PAGES)}
    assert f"page {MAX_PAGES} of" in found.text
    assert f"page {MAX_PAGES + 1} of" not in found.text
