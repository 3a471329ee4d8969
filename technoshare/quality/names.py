"""Names in running text: which capitalised words are one, and in which other form a source may hold it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# Words that begin English sentences without being names, in their simplest form; `_plain_word` knows their endings.
_COMMON = frozenset(
    """
    a an the this that these those it its he she they we you i his her their our your my one two three four five six seven
    eight nine ten some many most more much few fewer less least all both each every either neither none no not nobody nothing
    anyone everything everyone everybody someone somebody something other another such same several various certain what
    which who whom whose when where why how whether while whereas although though because since as if unless until till once
    after before during despite in on at by for from to with without within under over above below between among amid across
    through throughout against about around near beyond beside besides behind along alongside toward towards upon into onto
    out off up down per via unlike like instead rather than except apart aside according due thanks owing given compared
    and or but nor yet so also too still even just only merely again already always never ever often sometimes usually
    typically today tomorrow yesterday now then later soon recently currently previously formerly initially finally
    eventually meanwhile moreover furthermore however therefore thus hence nevertheless nonetheless otherwise overall
    altogether together instead additionally similarly likewise conversely consequently accordingly likely perhaps maybe
    here there elsewhere everywhere away back forward far early late long short high low big small large little great good
    better best bad worse worst new newer old older young first second third next last half double triple zero
    is are was were be been being am do does did done has have had having can could will would shall should may might must
    let make take get give go come see use find keep need want run set put show say tell ask try work call turn start stop
    begin end open close read write build add remove drop move change raise lower cut grow fall rise reach leave stay help
    allow expect consider note remember beware avoid choose pick prefer switch upgrade update install enable disable check
    test look think believe hope plan pay buy sell cost save spend lose win beat send receive return support include
    exclude contain cover handle require offer provide introduce bring hold learn teach train measure compare report
    people person man woman child user customer client reader writer author team group member staff company firm business
    maker vendor provider supplier developer engineer programmer designer manager director leader chief head founder chair
    president minister mayor official officer spokesman spokeswoman analyst expert critic scientist researcher scholar
    professor doctor student pupil teacher parent mother father brother sister son daughter family friend colleague boss
    editor maintainer contributor sponsor investor shareholder owner competitor rival partner participant applicant
    fellow judge jury court police army government parliament council state city town village country nation region
    district county world market industry sector school university college institute laboratory hospital bank church
    software hardware program application app tool library framework package module plugin platform system service server
    client database table index query key value file folder directory path page site website web link image picture photo
    video audio sound music text word sentence paragraph language code script function method class object type variable
    parameter argument option flag setting configuration default version release build patch fix bug error failure crash
    issue problem risk threat attack attacker vulnerability flaw weakness security privacy safety access login password
    token account session request response header cookie cache memory disk storage network traffic connection latency
    throughput speed performance benchmark score rate ratio share percentage number figure amount total sum average mean
    median size length width height weight depth capacity limit maximum minimum level threshold range distance
    time date day night morning evening week weekend month year decade century hour minute moment period season spring
    summer autumn fall winter quarter deadline schedule
    money price fee bill budget fund grant tax profit revenue income sales saving debt loan payment subscription discount
    salary wage job task role position career office home house building room floor street road bridge bus train tram car
    truck bike ship plane airport station ticket
    data information knowledge evidence fact detail result finding outcome effect impact consequence cause reason purpose
    goal aim target idea concept approach technique strategy process procedure step stage phase part section chapter
    article paper study survey report review post blog thread comment answer question reply discussion debate talk
    interview conversation meeting conference event course tutorial guide manual document documentation note book story
    news message letter mail email newsletter announcement statement claim argument opinion view position
    model network layer parameter weight dataset sample example case instance case scenario experiment trial pilot
    evaluation analysis comparison simulation measurement observation prediction estimate estimation forecast
    machine computer laptop phone tablet device screen display keyboard battery chip processor core thread board card
    sensor camera microphone robot engine motor telescope mirror router printer reader drive cable
    power energy heat water air oil gas wind rain snow sun light weather climate fire food wood metal plastic
    licence license law rule regulation standard policy contract agreement deal right vote election decision
    choice change growth decline increase decrease reduction gain loss advantage disadvantage benefit drawback downside
    upside tradeoff limitation weakness strength success progress improvement advance support help advice tip warning
    recommendation suggestion proposal request demand offer condition requirement feature functionality functionality
    body side top bottom middle centre center front left right inside outside north south east west
    thing kind sort way form shape order list line row column item piece bit pair set series collection
    interest attention focus emphasis priority difference similarity variety majority minority rest
    old-style open-source free paid public private local remote global national regional international internal external
    central main major minor key core common rare typical special general specific particular real true false correct wrong
    full empty whole complete partial simple easy hard difficult complex strong weak heavy light fast slow quick quiet
    loud bright dark hot cold warm cool wet dry clean dirty rich poor cheap expensive safe dangerous careful
    experience practice theory training education research development design production distribution delivery deployment
    migration maintenance operation administration management control monitoring alert alarm metric log backup snapshot
    copy recovery encryption compression authentication authorisation authorization sampling search ranking sorting
    indexing parsing compilation execution installation integration adoption usage use
    prototype product brand shop store customer order shipment return refund warranty
    workaround bypass lesson caveat surprise mistake accident incident outage downtime blackout breach leak
    vaccine patient nurse disease virus drug treatment therapy surgery symptom health care
    victim witness suspect lawyer prison crime murder theft fraud shooting explosion flood storm earthquake crash
    player coach club season match game league cup champion fan team goal striker defender midfielder goalkeeper
    actor actress singer film movie album song show star band
    very quite rather fairly pretty real really schema regex compatibility whitespace sparsity skew drift weekday overhead boot kernel thread shell prompt editor compiler parser linter debugger
    headline summary abstract introduction background conclusion discussion title topic theme project overview
    firmware middleware malware freeware infrastructure architecture interface endpoint frontend backend runtime
    everything anybody whoever whatever whichever whenever wherever however
    plus minus approximately nearly almost roughly barely hardly scarcely
    """.split()
)
KNOWN = frozenset(
    """
    api apis cpu cpus gpu gpus ram rom ssd hdd usb url urls uri html css xml json yaml csv pdf pdfs http https ftp ssh tls ssl tcp udp ip ipv4 ipv6
    dns vpn lan wan wifi sql nosql orm sdk cli gui ui ux ide os ai ml llm llms nlp rag ocr iot it pr prs ci cd qa faq tldr tl dr readme todo
    id ids pin sms rss ui eu us usa uk un uae ceo cto cfo coo hr ngo phd dr mr mrs ms prof sir st jr sr inc ltd llc co corp gmbh ag plc
    am pm utc gmt cet cest est edt pst pdt bst ad bc ce bce co2 tv dvd cd dj dna rna hiv aids covid vip vm vms vat gb mb kb tb kib mib gib tib
    monday tuesday wednesday thursday friday saturday sunday
    english internet web python javascript linux windows unix christmas easter god earth
    wi fi ok eur usd gbp jpy q1 q2 q3 q4 etc vs nr no fig table section chapter figure appendix part theme summary projects
    flop flops co2 h2o
    european europe american america british britain english africa african asia asian
    """.split()
)
"""Capitalised words that nobody would ask a source for."""

_PEOPLES = {
    name: place
    for place, names in {
        "germany": "german germans", "france": "french", "spain": "spanish spaniards", "netherlands": "dutch holland",
        "portugal": "portuguese", "finland": "finnish finns", "sweden": "swedish swedes", "denmark": "danish danes",
        "norway": "norwegian norwegians", "poland": "polish poles", "switzerland": "swiss", "china": "chinese",
        "japan": "japanese", "ireland": "irish", "wales": "welsh", "scotland": "scottish scots", "greece": "greek greeks",
        "turkey": "turkish turks türkiye", "britain": "british uk united kingdom england", "america": "american americans us usa united states",
        "peru": "peruvian", "thailand": "thai", "israel": "israeli israelis", "iraq": "iraqi iraqis", "czech": "czechia czechs", "belgium": "belgian belgians",
        "europe": "european europeans eu union", "iceland": "icelandic", "philippines": "filipino filipinos", "cyprus": "cypriot", "malta": "maltese", "taiwan": "taiwanese",
        "postgresql": "postgres", "kubernetes": "k8s", "javascript": "js", "typescript": "ts", "zstandard": "zstd",
        "github": "gh", "macos": "osx mac",
    }.items()
    for name in (place, *names.split())
}  # fmt: skip
_DEMONYM = re.compile(r"(?:ian|ians|ean|eans|an|ans|n|ns|ese|ish|i|is|ic|er|ers|a|ia|y|s|es|land|als?|os?)?")
_ENDING = re.compile(
    r"(?:ing|ed|ly|tion|tions|sion|sions|ments?|ness|ity|ities|ances?|ences?|isms?|ists?|ages?|ships?|wards?|wise|less|ful|able|ible|ous|ical|ics|ware|ers|ors|ism|ised|ized|ising|izing|ures?|ogy|ogies|ials?|ives?)"
)
_LETTERS = str.maketrans({"ø": "o", "ß": "ss", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})

WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’](?=[^\W\d_]))*")
_BETWEEN = re.compile(r" |-| ?[&/] ?|['’.]| (?:of|of the|de|del|de la|la|van|von|van der|den|du|di) ")
_AFTER_AN_INITIAL = re.compile(r"\b(?:[A-Z]|Dr|Mr|Mrs|Ms|St|Prof)\. $")
_BREAK = re.compile(r"[.!?:;•*>#|\n(\[\"“„«—–][ \"“„(*_]*$|^[\s\"“„(*_•-]*$|\n\s*(?:\d+[.)]|[-*•])\s*$|^\s*\d+[.)]\s*$")


@dataclass(frozen=True)
class Name:
    """A capitalised word at characters `start` to `end` of a text; `opens` a sentence, so it may be no name at all."""

    start: int
    end: int
    word: str
    opens: bool


def folded(text: str) -> str:
    """Return `text` without case, accents and possessive marks."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in plain if not unicodedata.combining(char)).replace("’", "'")


def words(text: str) -> Iterator[str]:
    """Yield the folded words of `text`; "AES-256" is two."""
    return (bare(hit[0]) for hit in re.finditer(r"[^\W_]+(?:['’][^\W\d_]+)*", folded(text)))


def bare(word: str) -> str:
    """Return a folded word without a possessive ending."""
    return re.sub(r"['’](?:s|t|d|ll|re|ve|m)?$", "", word)


def names(text: str) -> Iterator[Name]:
    """Yield the words of `text` that may be names, whether or not a source would know them."""
    lower = {hit[0] for hit in WORD.finditer(text) if hit[0].islower()}
    for hit in WORD.finditer(text):
        word = re.sub(r"['’]s?$", "", hit[0])
        if len(word) < 2 or word.islower() or not any(char.isupper() for char in word):
            continue
        simple = folded(word)
        if simple in KNOWN or word.lower() in lower or (word.istitle() and _plain_word(simple)):
            continue
        opens = bool(_BREAK.search(text[max(0, hit.start() - 12) : hit.start()])) and word.istitle()
        yield Name(hit.start(), hit.start() + len(word), word, opens)


def adjoin(text: str, one: Name, other: Name) -> bool:
    """Tell whether two names are parts of one, as in “University of Twente”."""
    between = text[one.end : other.start]
    return bool(_BETWEEN.fullmatch(between)) or bool(_AFTER_AN_INITIAL.search(text[one.start : other.start]))


def looks_plain(word: str) -> bool:
    """Tell whether a capitalised word at the start of a sentence is rather an ordinary one."""
    simple = folded(word)
    return bool(re.search(rf"^[a-z]{{2,}}{_ENDING.pattern}$", simple)) or _plain_word(simple)


def relatives(word: str) -> Iterator[str]:
    """Yield other folded forms of a folded name: singular, country and people, short and long."""
    yield word
    if place := _PEOPLES.get(word):
        yield place
        yield from (name for name, of in _PEOPLES.items() if of == place)
    for ending in ("s", "es", "n", "ns", "an", "ans", "ian", "ians"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            yield word.removesuffix(ending)
            yield word.removesuffix(ending) + "a"
    yield word + "s"


def kin(one: str, other: str) -> bool:
    """Tell whether two folded words share a long stem and differ in an ending of peoples, places or plurals."""
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    rest = max(len(one), len(other)) - shared
    return (
        shared >= 4 and rest <= shared and bool(_DEMONYM.fullmatch(one[shared:]) and _DEMONYM.fullmatch(other[shared:]))
    )


def initials(words_in_order: list[str]) -> str:
    """Return the first letters of words."""
    return "".join(word[0] for word in words_in_order if word)


def _plain_word(simple: str) -> bool:
    if simple in _COMMON:
        return True
    for ending, restored in (
        ("s", ""),
        ("es", ""),
        ("ies", "y"),
        ("ed", ""),
        ("ed", "e"),
        ("d", ""),
        ("ing", ""),
        ("ing", "e"),
        ("ly", ""),
        ("er", ""),
        ("ers", ""),
        ("or", ""),
    ):
        if (
            simple.endswith(ending)
            and len(simple) - len(ending) >= 3
            and simple.removesuffix(ending) + restored in _COMMON
        ):
            return True
    return False
