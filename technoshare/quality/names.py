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
    subject contact press connect contrary command console break scope modern yes frequent proper customise customize steer embrace treat
    anyway mock load execute verify essay extend sit notice locate please factory conflict logic automatic embedding
    individual agent inline pattern multiple halfway classic context workflow convert logger handler filter similar subsequent
    placeholder additional perform infinite refer sign explicit namespace fatal nice fragment depot track click unlock emphasise
    emphasize define prove queue publish simulate validate transform encode decode watch catch join become hello exception
    anonymous average basic beta brief broad busy civil clear close combined commercial compact complete constant contemporary
    corporate criminal critical crowd crucial current daily deep dense detailed digital direct distributed double dual dynamic
    economic effective efficient electric electronic embedded emergency emotional entire equal essential ethical exact excellent
    expected experimental external extra extreme fair familiar federal financial fine firm fixed flexible foreign formal frontier
    fundamental future generic genuine gradual graph green happy heavy helpful historic holistic honest hostile huge human hybrid
    identical illegal immediate impressive inactive incoming independent indirect industrial inevitable informal initial innovative
    intense interactive interesting intermediate invalid isolated joint junior key large-scale latest leading legacy legal legitimate
    limited linear literal live logical lost manual massive mature mechanical medical mental mere military minimal missing mixed mobile
    moderate monthly moral mutual natural naive necessary negative neutral noisy nominal normal notable numeric numerous objective obvious
    odd online opposite optimal optional ordinary organic original outer parallel partial passive patient permanent personal physical
    plain planned pleasant plentiful political popular positive potential powerful practical precise preliminary premium present previous
    primary prior probable productive professional prominent promising quantitative random rapid raw ready recent regular related relative
    relevant reliable remaining repeated required residual responsible robust rough round rural sad scalable scarce scattered secret secure
    selected semantic senior sensitive separate serious shallow sharp sheer significant silent skilled slight smart smooth social solid
    solo sound sparse spare spatial statistical stable static steady strategic strict structural subtle successful sudden sufficient
    suitable super supplementary surprising suspicious symbolic synthetic systematic technical temporary tight tiny total tough traditional
    transparent tremendous trivial typed ultimate unable uncertain unique universal unknown unlikely unofficial unusual upcoming upper urban
    urgent useful valid valuable vast verbal viable virtual visible visual vital voluntary vulnerable weekly wide wild wireless worldwide
    worthy written yearly
    abstraction accent access accuracy achievement acquisition act action activity actor ad adaptation addition adjustment adult affair
    agency agenda aid algorithm alliance alternative ambition analogy angle animal anxiety apartment appeal appearance appetite area arm array
    artifact artist asset assistance assistant association assumption asteroid athlete atmosphere attendee attitude attribute auction audience
    audit authority autonomy availability award awareness background bag balance ballot band bandwidth bar barrier base basis batch battle beach
    bed behaviour behavior belief bid bill bird birth blame block blood board boat bomb bond bonus border bottleneck bottle bound boundary box brain
    branch breakthrough breath brief broadcast browser bucket buffer builder burden burst button buyer bytecode campaign canal candidate
    capability capital car carbon cast catalogue catalog category cell ceremony chain challenge chance channel char character charge charity
    chart chat checkpoint chemical citizen civilian class cluster coal coast coat codebase coffee coin collapse column combat combination comfort
    commander comment commerce commission commit committee commodity communication community commuter compass compensation complaint complexity
    component compromise concern concert conclusion conduct confidence configuration confirmation confusion congress consensus consortium
    constraint consultant consumer consumption container contaminant content contest continent contractor contrast contribution controversy
    convention conversion cook cooperation cooperative coordinate copyright corner corpus correction correlation corridor counter coverage craft
    crew crisis criterion criteria criticism crop crossing crystal culture cup currency curve custom cybersecurity cycle damage danger dashboard datum dead
    dealer death debris deck declaration decree deduplication default defence defense deficit definition degree delay delegate
    density department dependency depression deputy description desert desk destination detection developer deviation diagnosis diagram
    diet dimension dinner diplomat direction directory disaster discipline discovery dispute distinction distributor diversity doc doctrine
    document dog dollar domain donation donor door dose draft drama drawing dream dress drink driver drop drought dust duty dynamics eager
    earnings ease eating economy ecosystem edge edition editorial education efficiency effort egg element elite emission emperor employee employer
    employment encounter enemy energy enforcement enquiry enterprise entertainment enthusiast entity entrance entrepreneur entry envelope
    environment episode equation equipment equity era essence estate ethics evidence exam examination examiner exchange exclusion
    excuse executive exercise exhibition existence exit expansion expectation expense expertise explanation exploit exploration export exposure
    expression extension extent eye fabric face facility factor faculty failover faith fame famine fan fare farm farmer fashion favour
    favourite favor favorite fear feedback feel field fight figure file film filler finance finger finish fisherman fish flaw fleet flight
    flow flower focus folk food foot football force forecast forest fork format formation formula fortune foundation fragment framework
    freedom freelance frequency friction front fuel fun funeral furniture fusion gap garden gas gate gateway gathering gender gene
    generation giant gift girl glass goal gold golf goods grain grammar graph graphic grass grid ground growth guarantee guard guest guidance
    guideline guitar gun guy habit hair hall hand handling happiness hardship harm harvest hash hate hazard headquarters hearing heart heating
    heaven height hero hill hint hire historian history hit hobby hobbyist hole holiday homeowner homework honour hope horizon horse host hostage
    hotel household housing hunter husband hypothesis ice identifier identity ideology illness illustration image imagination impl implementation
    import improvement incentive incident index indication indicator inflation influence initiative injury inmate innovation input inquiry
    insect insider insight inspection inspector inspiration instruction instrument insurance insurer intake integer intelligence intent intention
    interaction interval intervention introduction intuition invasion inventory investigation investigator investment invitation invoice iron irony island
    isolation iteration jacket jail jet jewellery joke journal journalist journey judgement judgment jump junction justice justification kid
    killer kitchen knife labour labor lack lake land landlord landscape lane laptop laughter layout layoff lead leadership leaf league lecture legacy
    legend legislation lender lens lesson liability liberty library lie life lifetime lift limb limestone line link lion liquid literature
    litigation living loader location lock log logo loop lord lorry lot lottery love lover luck lunch lung luxury magazine magistrate mail
    mainstream maker male manuscript map march margin mark marriage mask mass master match mate material mathematics math matter mayor meal
    meaning means meat mechanic mechanism medal medicine meditation melody memo memorial menu merchant merger merit mess
    metadata meter microbe microscope midnight migrant militant milk mill mind mine mineral miner minister miracle mission mist mixture mob mode
    moderation moderator modification molecule monarch monitor monkey mood moon morale motion motivation motorist mount mountain mouse mouth
    movement multitude murderer muscle museum mushroom musician mutation mystery myth namespace narrative nature navigation navy neck neighbour neighbor nerve
    nest net neuron newcomer newspaper nightmare node noise nomination norm northern nose notebook notice notification notion novel
    novelty novice nuclear object objection obligation observer obstacle occasion ocean offence offense offender offering officer offspring
    onset opening opera operand operator opponent opportunity opposition optimisation optimization optimism optimist organ organiser organizer organisation organization orientation origin
    orphan outbreak outlet outline outlook output outsider oven overdose overview ownership oxygen pace pack packet pain paint painter painting
    pair palace pandemic panel panic park parliament participation particle partnership passage passenger passion past patch path patience patrol pause
    pavement peace peak pedestrian peer penalty pension pensioner percent perception perfection performer permission personality personnel
    perspective phase phenomenon philosopher philosophy photograph photographer phrase physician physicist physics piano pickup picture pilgrim
    pill pipe pipeline pitch pitfall pixel plaintiff planet planner plant plastic plate playing plea pleasure plenty plot pocket poem poet poetry
    pointer poison pole politician politics poll pollution pool pope population port portion portrait position possession possibility postcard poster
    pot poverty powder practitioner praise prayer precedent precision predator predecessor preference pregnancy prejudice premise preparation
    presence presentation preservation presidency pressure prevention prey pride priest prince princess principle prisoner prize probability probe
    procurement producer productivity profession proof propaganda property prosecution prosecutor prospect protection protein protest protester protocol provision
    proximity psychologist psychology publication publicity publisher pump punishment purchase pursuit puzzle qualification quality quantity quarrel queen
    quest quota quotation quote race racism radar radiation radio rail railway rally rat rating rationale reaction reality realm rebel rebellion receiver
    reception recession recipe recipient recognition record recorder recruit recruitment rectangle reference referendum referee reflection reform refugee
    refusal regard regime register registration registry regression regulator rehabilitation relation relationship relative relaxation relief
    religion reluctance removal rent repair replacement replica repository representation representative republic reputation rescue resentment reserve
    reservation residence resident resistance resolution resource respect respondent restaurant restoration restriction retailer retirement retreat
    retrieval revelation revision revolution reward rhetoric rhythm rider rifle ritual river robbery rock rocket rollback rollout root rope rose rotation route routine row
    royalty rubbish rumour rumor sacrifice safeguard sailor salary salt sanction sand satellite satisfaction saving scale scandal scene sceptic skeptic scheduler scheme
    scholarship schema school science scope scorer scratch scream script sea seal seat secretary section segment selection self semantics
    seminar senator sensation sentiment separation sequence sergeant servant sex shadow shame shareholder sheep sheet shelf shelter shift
    shirt shock shooter shop shopper shore shortage shot shoulder sight signal signature silence silver simplicity simulator sin singer site situation
    skill skin sky slave sleep slice slot smell smoke snapshot soccer socket soil soldier solution solver song soul source space speaker specialist species
    specification specimen spectator spectrum speculation speech spell spending sphere spirit split spokesperson spot spouse spread spy squad square
    stability stack stadium staff stage stake stakeholder stall stamp standing startup state stateless statistic statistics statue status steel stem stereotype stick stock
    stomach stone storage store story strain stranger strategist stream strength stress stretch strike string strip structure struggle studio stuff
    style submission subset substance substitute suburb successor suicide suit suite summit supervisor supply supporter suppression surface surge
    surgeon surplus surveillance survival survivor suspension suspicion sustainability sweat sword syllabus symbol sympathy syndrome syntax synthesis tablet tactic tail
    taint talent tank tape target taste tax taxpayer teaching tear teenager telegraph telephone television temper temperature template temple temptation tenant
    tendency tension tent tenure term terminal terrain territory terror terrorist testimony texture thanks theatre theater theorem theory thesis thief
    thinking thought throat throne tide tie tile timber timeline timeout timer tin tissue titan toilet toll tomato ton tone tongue tooth topic torch touch tourist tournament
    towel tower toy trace tracker trade trader tradition trail trailer trainer trait transaction transcript transfer transformation transformer transit transition translation
    transmission transport trap trauma traveller traveler treasure treasury treaty tree trend triangle tribe tribunal tribute trick trip trooper troop trophy
    trouble trousers trust trustee truth tuition tuning tunnel twin twist tyre ultimatum uncle understanding unemployment uniform union unit unity universe
    unrest update upgrade uptake urgency utility vacancy vacation validation validator valley variance variation vector vegetable vehicle vein venture venue
    verdict verification vessel veteran viability viewer villager violation violence violin vision visit visitor vitamin vocabulary voice volcano
    volume volunteer voter voyage wait walk wall wallet war ward warehouse warrant waste watchdog wave weakness wealth weapon webhook wedding
    welfare wheel whistleblower widow wife wildlife will window wine wing winner wire wisdom wish witch withdrawal wolf womb wonder woodland wording worker workflow workload workplace
    workshop worry worship worth wound wrapper wrist yield youngster youth zone
    accept accompany accuse achieve acknowledge acquire adapt address adjust admit adopt agree aim allocate alter amount announce annoy anticipate appear apply appoint
    approach approve argue arise arrange arrest arrive assemble assert assess assign assist assume assure attach attempt attend attract authenticate avoid ban
    bear beat belong bet bind blend boost bootstrap born borrow bother bring bump burn bury calculate cancel carry categorise categorize celebrate challenge charge chase cite claim clarify clean clone
    collect combine comment compete compile complain complete comply compose compress compute concentrate conclude configure confirm confuse consist construct consult
    consume continue contribute convince cooperate cope correct count crash create criticise criticize cross debate debug decide declare decline deduct defend delay delete deliver demonstrate deny depend deploy deprecate
    derive describe deserve destroy detect determine develop devote diagnose differ direct disagree disappear disclose discover discuss dismiss display distinguish distribute divide dominate
    double doubt download draw drive earn edit elect eliminate email emerge emit employ enclose encounter encourage encrypt endure enforce engage enhance enjoy ensure enter equip escape establish evaluate evolve
    examine exceed exclude exist expand expire explain explore expose express fail fear feed feel fetch fight fill finance fix flush fly fold follow forbid forget forgive forward found freeze gain gather generate
    govern grab grant guess handle hang happen hate hear hesitate hide highlight hope identify ignore illustrate imagine imply import impose impress improve incorporate indicate inform inherit inject insist inspect inspire
    instantiate instruct interact interpret introduce invent invest investigate invite invoke involve isolate iterate justify kick kill knock know label lack land last launch lay lean leak leap lend let lie like link listen live
    log look lower maintain matter mean measure mention merge migrate mind minimise minimize mirror miss monitor mount multiply name neglect normalise normalize note obtain occur omit optimise optimize organise organize originate outperform overcome override overwrite owe own
    parse participate pass paste patch perceive persist persuade pin place play point poll pop pose possess pour precede predict prefer prepare preserve press presume pretend prevent print proceed process produce promise promote propose protect
    protest prune pull punish push qualify question quit quote rank react realise realize rebase rebuild recall recognise recognize recommend reconcile recover reduce refactor reflect refuse regret reject relate relax rely remain remind rename render renew rent repeat
    replace represent require resemble reset resign resist resolve respond rest restart restore restrict resume retain retire retry retrieve reuse reveal reverse revert revise revoke rewrite ride ring rise risk roll rotate rule rush sample scan schedule seal secure seek
    seem select separate serialise serialize serve settle shake shape share shed shine ship shoot shrink shut sing sink skip slow smile solve sort speak specify speculate spell spill spin split spoil spread stand stare state steal stick stir store strengthen stretch strike strip strive struggle submit
    substitute subtract suffer suggest suit summarise summarize supply suppose surround survive suspect suspend sustain swap swear sweep swim swing synchronise synchronize tackle taste teach tell tend terminate thank throw tie toggle tolerate touch trace track trade transfer translate transmit travel treat
    trigger trim trust tune twist type undergo understand undertake undo unify unite unpack upload urge utilise utilize vanish vary view violate visit vote wait wake walk wander want warm warn wash waste wear weigh welcome win wind wipe wish wonder worry wrap yield
    gone got gotten made done known shown seen given taken written spoken broken chosen driven eaten fallen felt fought flown forgotten frozen grown held hidden kept laid led left lent lost meant met paid put read ran risen said sat sent set shot shut slept sold spent stood stole struck sworn swept taught told thought threw understood woke won wore
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
_LETTERS = str.maketrans(
    {"ø": "o", "ß": "ss", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'"}
)

_MARKS = re.compile(r"[\u0300-\u036f]")
_FOLDED = re.compile(r"[^\W_]+(?:'[^\W\d_]+)*")
_POSSESSIVE = re.compile(r"'(?:s|t|d|ll|re|ve|m)$")
_CONTRACTED = re.compile(r"(?:['’](?:s|t|d|ll|re|ve|m)?|n['’]t)$")
WORD = re.compile(r"[^\W\d_](?:[^\W_]|['’](?=[^\W\d_]))*")
_BETWEEN = re.compile(r" |-| ?[&/] ?|['’.]| (?:of|of the|de|del|de la|la|van|von|van der|den|du|di) ")
_AFTER_AN_INITIAL = re.compile(r"\b(?:[A-Z]|Dr|Mr|Mrs|Ms|St|Prof)\. $")
_BREAK = re.compile(r"[.!?:;•*>#|\n(\[\"“„«—–][ \"“„(*_]*$|^[\s\"“„(*_•-]*$|\n\s*(?:\d+[.)]|[-*•])\s*$|^\s*\d+[.)]\s*$")


@dataclass(frozen=True)
class Name:
    """A capitalised word at characters `start` to `end` of a text."""

    start: int
    end: int
    word: str
    opens: bool
    """It stands where any word has a capital."""
    ordinary: bool
    """It is a common word, so only others beside it make it part of a name: “Red” in “Red Hat”."""


def folded(text: str) -> str:
    """Return `text` without case and accents, with plain apostrophes."""
    plain = text.casefold().translate(_LETTERS)
    return plain if plain.isascii() else _MARKS.sub("", unicodedata.normalize("NFKD", plain))


def words(text: str) -> Iterator[str]:
    """Yield the folded words of `text` without possessive endings; "AES-256" is two."""
    for word in _FOLDED.findall(folded(text)):
        yield _POSSESSIVE.sub("", word) if "'" in word else word


def names(text: str) -> Iterator[Name]:
    """Yield the words of `text` that may be names, whether or not a source would know them."""
    lower = {hit[0] for hit in WORD.finditer(text) if hit[0].islower()}
    for hit in WORD.finditer(text):
        word = _CONTRACTED.sub("", hit[0])
        simple = folded(word)
        if len(word) < 2 or word.islower() or simple in KNOWN or word.lower() in lower or _is_glued(hit, text):
            continue
        ordinary = (word.istitle() or word.isupper()) and _plain_word(simple)
        opens = word.istitle() and bool(_BREAK.search(text[max(0, hit.start() - 12) : hit.start()]))
        yield Name(hit.start(), hit.start() + len(word), word, opens, ordinary)


def _is_glued(hit: re.Match[str], text: str) -> bool:
    return text[max(0, hit.start() - 1) : hit.start()].isdigit() or not any(map(str.isupper, hit[0]))


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
