"""A page and a comment of our own making, which the tests of several rooms start from."""

from technoshare.models import (
    Comment,
    Evidence,
    Fact,
    Facts,
    Job,
    Project,
    ProjectNote,
    ReadPriority,
    Reviewed,
    Sentence,
    Snippet,
    Source,
)

PAGE = """Tin roofs and rain gauges
The harbour weather service replaced its forty rain gauges with microphones under tin roofs. A microphone costs 12 euros and needs no moving parts, while a tipping gauge costs 900 euros and clogs every autumn. The service reports that the new network measures rainfall within 4 percent of the old one.
Each microphone listens for the sound of drops and sends a spectrum every ten seconds. A small model on the device turns the spectrum into millimetres per hour, so no sound ever leaves the roof. The model was trained on two years of recordings beside the old gauges.
Subscribe to our newsletter to get every post.
The hardest problem was hail, because a single stone sounds like a cloudburst. The team added a second microphone inside the attic, and the difference between both tells hail from rain. Since then the network has raised three false alarms in eleven months.
What about wind? Wind noise limits the method above 60 kilometres per hour, and the service then falls back to radar. Snow makes no sound at all, so winter readings still come from heated gauges.
The software is open source under the MIT licence and runs on a board with 512 kilobytes of memory. Batteries last for fourteen months because the board sleeps between spectra. Two neighbouring towns have ordered the same boards, and the university keeps an archive of the spectra.
The service publishes the rainfall of every roof as open data with a delay of five minutes. Farmers use the data to decide when to spread fertiliser, and the fire brigade uses it to watch cellars. A survey among ninety readers found that most of them trust the roofs more than the forecast.
The old gauges will stay in place until 2028 so that both series can be compared. After that only eight heated gauges remain for snow. The whole change cost 31,000 euros, which the service expects to save within two winters.
"""
"""About 320 words; invented."""

MEASURED = "\n".join(f"Roof number {n} measured {n} millimetres of rain." for n in range(1, 41))
"""What `sentences` says."""


def evidence(text: str = PAGE, **changes: object) -> Evidence:
    """The page as retrieval would give it: one snippet per line."""
    snippets, start = [], 0
    for line in text.splitlines():
        snippets.append(Snippet(id=f"s{len(snippets) + 1}", text=line, source=URL, start=start, end=start + len(line)))
        start += len(line) + 1
    given = Evidence(
        url=URL,
        final_url=URL,
        adapter="GenericAdapter",
        domain="roofs.example.org",
        title="Tin roofs and rain gauges",
        authors=("Ada Quill",),
        published="2026-11-12",
        coverage="full",
        snippets=tuple(snippets),
    )
    return given.model_copy(update=changes)


URL = "https://roofs.example.org/2026/rain?list=a&page=2"

PROJECTS = (
    Project(
        name="Drizzle",
        theme="Edge sensing",
        description="Sensors in the field: microphones and gauges with a small model on the device and long battery life.",
        keywords=("microphone", "rainfall", "battery", "device", "spectrum"),
    ),
    Project(
        name="Quire",
        theme="Publishing",
        description="Typesetting of books, hyphenation, page layout and fonts for print shops.",
        keywords=("typesetting", "hyphenation", "font", "print"),
    ),
)

FACTS = Facts(
    items=tuple(
        Fact(
            id=f"f{n}",
            kind="claim",
            text="It rains.",
            quote=f"Roof number {n} measured {n} millimetres of rain.",
            snippet="s1",
        )
        for n in range(1, 20)
    ),
    model="gpt-test",
)

JOB = Job(
    key="k", team="T1", channel="C1", ts="1.0", thread_ts="1.0", user="U1", url=URL, text=f"look {URL}", received=0.0
)


def sentences(count: int, first: int = 1) -> tuple[Sentence, ...]:
    """So many different sentences, each citing a fact of FACTS."""
    numbers = range(first, first + count)
    return tuple(Sentence(text=f"Roof number {n} measured {n} millimetres of rain.", facts=(f"f{n}",)) for n in numbers)


def comment(**changes: object) -> Comment:
    """A comment that passes every check."""
    good = Comment(
        tldr=sentences(3),
        summary=sentences(12, first=4),
        projects=(
            ProjectNote(
                theme="Edge sensing",
                project="Drizzle",
                relevance="Drizzle has the same battery problem.",
                facts=("f1",),
            ),
        ),
        priority=ReadPriority(level="skim", reason="It shows what a roof can measure.", facts=("f1",)),
        model="gpt-test",
    )
    return good.model_copy(update=changes)


def reviewed(**changes: object) -> Reviewed:
    """The comment as the gates would let it out; changes go into the comment, the source or the reply by name."""
    page = evidence()
    source = Source(
        url=page.url,
        title=page.title,
        domain=page.domain,
        adapter=page.adapter,
        coverage=page.coverage,
        words=2314,
        published=page.published,
        authors=page.authors,
    )
    good = Reviewed(comment=comment(), source=source, verdicts=(), outcome="success")
    return good.model_copy(update=changes)
