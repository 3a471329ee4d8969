"""One wrong detail in an honest summary, of a kind of one's choice; the same seed plants the same one."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.grounding.texts import Text


@dataclass(frozen=True)
class Planted:
    """A summary with a wrong detail, and that detail as it stands there."""

    summary: str
    detail: str


def plant(kind: str, text: Text, summary: str, seed: int) -> Planted | None:
    """Return the summary with one error; None where it has nothing that could be changed in this way."""
    return KINDS[kind](text, summary, random.Random(f"{kind} {seed} {text.url} {summary}"))  # noqa: S311 - it must repeat itself


# ---------------------------------------------------------------- things that are added

WORDS = [
    "harbour",
    "lantern",
    "quarry",
    "meadow",
    "thicket",
    "anvil",
    "saddle",
    "copper",
    "violet",
    "tundra",
    "walnut",
    "ember",
    "orchard",
    "falcon",
    "granite",
]
HOSTS = (
    "example.com",
    "example.org",
    "example.net",
    "mirror.example",
    "co.example",
    "github.com",
    "bit.ly",
    "medium.com",
)
VOICES = (
    'One of them called it "{}".', "As the authors put it, “{}”.", "The text says: 'The {}.'", 'A user complained that "{}" in the end.',
)  # fmt: skip
SAYINGS = (
    "a complete waste of everybody's money", "the most honest tool we have ever shipped", "nobody asked us before the switch",
    "we would never go back to the old way", "this will change how small teams work", "an accident that was waiting to happen",
    "our users deserve better than that", "it felt like flying blind for weeks",
)  # fmt: skip


def _link(text: Text, summary: str, chance: random.Random) -> Planted:
    one, other = chance.sample(WORDS, 2)
    host = text.url.split("/")[2]
    link = chance.choice(
        [
            f"https://{one}.{chance.choice(HOSTS)}/{other}", f"{one}-{other}.{chance.choice(('com', 'io', 'dev', 'org'))}",
            f"www.{one}{other}.com", f"{text.url.rstrip('/')}/{one}", f"https://{host}.{one}.com/", f"http://{one}@{host}/{other}",
            f"{one}.{host}", f"https://{host}/{one}?id={chance.randrange(99)}", f"{one}@{other}.example.com",
        ]
    )  # fmt: skip
    return _added(summary, f"{chance.choice(('See', 'More at', 'The code is at', 'Details:'))} {link}.", link, chance)


def _quotation(text: Text, summary: str, chance: random.Random) -> Planted:
    saying = chance.choice(SAYINGS)
    return _added(summary, chance.choice(VOICES).format(saying), saying, chance)


def _id(text: Text, summary: str, chance: random.Random) -> Planted:
    number, year = chance.randrange(1000, 99999), chance.randrange(2014, 2027)
    name = chance.choice(
        [
            f"CVE-{year}-{number}", f"arXiv:{year % 100}{chance.randrange(1, 13):02}.{number:05}", f"10.{chance.randrange(2000, 9999)}/{chance.choice(WORDS)}.{number}",
            f"#{number}", f"RFC {chance.randrange(1000, 9999)}", f"PR #{number}", f"{chance.getrandbits(40) | 1 << 39:010x}", f"GHSA-x{number % 1000:03}-q7vh-m{number % 999:03}",
            f"{chance.choice('KQXZ')}{chance.choice('JVW')}-{number}", f"PEP {chance.randrange(100, 999)}",
        ]
    )  # fmt: skip
    return _added(
        summary, f"{chance.choice(('It is tracked as', 'Compare', 'This refers to', 'See also'))} {name}.", name, chance
    )


def _mention(text: Text, summary: str, chance: random.Random) -> Planted:
    one, other = chance.sample(WORDS, 2)
    mention = chance.choice(
        [
            f"@{one}",
            f"@{one}-{other}",
            f"@{one}_{other}",
            "@channel",
            "@here",
            "<!channel>",
            f"<@U0{one.upper()}>",
            "@everyone",
        ]
    )
    return _added(
        summary, chance.choice(("Thanks go to {}.", "Ask {} about it.", "Cc {}.")).format(mention), mention, chance
    )


def _number_added(text: Text, summary: str, chance: random.Random) -> Planted:
    while True:
        high = 10 ** chance.randrange(2, 6)
        value = chance.randrange(max(11, high // 10), high)
        number = chance.choice(
            [
                f"{value}",
                f"{value:,}",
                f"{value / 10:.1f}",
                f"{value % 100} %",
                f"${value:,}",
                f"{value % 90 + 11} ms",
                f"{value % 900 / 10 + 11:.1f} GB",
            ]
        )
        if not re.search(rf"(?<!\d){re.escape(number.strip('$').split()[0])}(?!\d)", text.source):
            break
    sentence = chance.choice(
        (
            "In total {} were counted.",
            "The figure for last year was {}.",
            "One test arrived at {}.",
            "It went up to {} within a week.",
        )
    )
    return _added(summary, sentence.format(number), number, chance)


def _added(summary: str, sentence: str, detail: str, chance: random.Random) -> Planted:
    sentences = re.split(r"(?<=[.!?”\"]) (?=[A-Z])", summary)
    sentences.insert(chance.randrange(1, len(sentences) + 1), sentence)
    return Planted(" ".join(sentences), detail)


# ---------------------------------------------------------------- things that are changed

FIGURE = re.compile(
    r"(?<![\w.,#/-])[$€£¥]?(\d+(?:[.,]\d+)*)(?=(\s?(?:%|percent|[kKMGT]?i?B\b|ms\b|s\b|seconds|minutes|hours|days|million|billion|euros|x\b|[kM]\b))?)"
)


def _number_changed(text: Text, summary: str, chance: random.Random) -> Planted | None:
    """Replace one digit of a number that is no small count, so that rounding cannot explain it."""
    figures = [hit for hit in FIGURE.finditer(summary) if hit[2] or len(re.sub(r"\D", "", hit[1])) > 1]
    chance.shuffle(figures)
    for hit in figures:
        for _ in range(40):
            place = chance.choice([place for place, char in enumerate(hit[1]) if char.isdigit()])
            new = hit[1][:place] + chance.choice("123456789") + hit[1][place + 1 :]
            if _differs(hit[1], new) and not re.search(rf"(?<!\d){re.escape(new)}(?!\d)", text.source):
                return Planted(summary[: hit.start(1)] + new + summary[hit.end(1) :], new)
    return None


def _differs(old: str, new: str) -> bool:
    one, other = (
        float(re.sub(r"[.,](?=\d{3}\b)", "", figure).replace(",", ".")) if figure.count(".") < 2 else 0.0
        for figure in (old, new)
    )
    return abs(one - other) >= 0.1 * max(one, other) > 0 or (one == other == 0 and old != new)


NAME = re.compile(r"(?<![\w@/.#-])[A-ZØÉ][\w]*[a-z][\w]*(?:[ ](?:&[ ])?[A-ZØÉ]\w*[a-z]\w*)*(?![\w@/-]|\.\w)")
NEW_NAMES = {
    1: ["Oracle", "Microsoft", "Kubernetes", "Toronto", "Lisbon", "Nairobi", "Siemens", "Erlang", "Fortran", "Zalando", "Madrid", "Quebec", "Veltrano", "Grobnik", "Tamsin", "Okonjo", "Delacroix", "Halvard", "Brisbane", "Zendesk", "Spotify", "Umbriel", "Kotka"],
    2: ["Gideon Marchetti", "Priya Ramanathan", "Oskar Blom", "Lucía Benavides", "Goldman Sachs", "Deutsche Telekom", "Buenos Aires", "Tobias Renner", "Akiko Tanabe", "Redwood Analytics", "Visual Basic", "Ulrike Sandmeier", "New Delhi", "Farid Azoulay"],
}  # fmt: skip
NO_NAMES = frozenset(
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]
)


GERMAN_NAMES = frozenset(["Vitest", "Playwright", "Kiel", "Torfkahn", "Leer", "Mareike Dornbusch", "Chemnitz", "Oulu"])
"""Where all nouns have capitals, these of our texts are names."""


def _entity(text: Text, summary: str, chance: random.Random) -> Planted | None:
    """Swap a name that the source has, too, for one that it has not."""
    names = [hit for hit in NAME.finditer(summary) if _is_name(hit, text, summary)]
    if not names:
        return None
    hit = chance.choice(names)
    pool = [
        name
        for name in NEW_NAMES[min(2, len(hit[0].split()))]
        if not any(part.casefold() in text.source.casefold() for part in name.split())
    ]
    new = chance.choice(pool)
    return Planted(summary[: hit.start()] + new + summary[hit.end() :], new)


def _is_name(hit: re.Match[str], text: Text, summary: str) -> bool:
    """Tell whether the source writes it with a capital in the middle of a sentence (or, in lower case, has it at all)."""
    if hit[0] in NO_NAMES:
        return False
    if " und " in summary:
        return hit[0] in GERMAN_NAMES
    if text.source.islower():
        return hit[0].casefold() in text.source and hit.start() > 0 and summary[hit.start() - 2] not in ".!?"
    return bool(re.search(rf"[a-z,&] {re.escape(hit[0])}\b", text.body))


KINDS: dict[str, Callable[[Text, str, random.Random], Planted | None]] = {
    "link added": _link,
    "quotation added": _quotation,
    "id added": _id,
    "mention added": _mention,
    "number added": _number_added,
    "number changed": _number_changed,
    "entity swapped": _entity,
}
LEAST_CAUGHT = dict.fromkeys(KINDS, 1.0) | {"number added": 0.95, "number changed": 0.95, "entity swapped": 0.95}


def planted(kind: str, texts: list[Text], seed: int = 0) -> Iterator[tuple[Text, Planted]]:
    """Yield every summary of the texts that takes an error of this kind, with it."""
    for text in texts:
        for summary in text.summaries:
            if error := plant(kind, text, summary, seed):
                yield text, error
