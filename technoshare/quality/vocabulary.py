"""Words that are no names although they have a capital, and names that go by several words."""

from __future__ import annotations

# Each list is one text, which a reader takes in at a glance and a diff shows word by word.

_COMMON = """
a about above abstract abstraction accent accept access accident accompany according accordingly account accuracy
accuse achieve achievement acknowledge acquire acquisition across act action activity actor actress ad adapt
adaptation add addition additional additionally address adjust adjustment administration admit adopt adoption adult
advance advantage advice affair after again against agency agenda agent agree agreement aid aim air airport alarm
album alert algorithm all alliance allocate allow almost along alongside already also alter alternative although
altogether always am ambition amid among amount an analogy analyses analysis analyst and angle animal announce
announcement annoy anonymous another answer anticipate anxiety anybody anyone anyway apart apartment app appeal appear
appearance appendices appetite applicant application apply appoint approach approve approximately architecture are
area argue argument arise arm army around arrange array arrest arrive article artifact artist as aside ask assemble
assert assess asset assign assist assistance assistant association assume assumption assure asteroid at athlete
atmosphere attach attack attacker attempt attend attendee attention attitude attract attribute auction audience audio
audit authenticate authentication author authorisation authority authorization automatic autonomy autumn availability
average avoid award awareness away back backend background backup bad bag bail balance ballot ban band bandwidth bank
bar barely barrier base basic basis batch battery battle be beach bear beat because become bed been before begin
behavior behaviour behind being belief believe belong below benchmark benefit beside besides best bet beta better
between beware beyond bid big bike bill bind bird birth bit blackout blame blend block blog blood board boat body bomb
bond bonus book boost boot bootstrap border born borrow boss both bother bottle bottleneck bottom bound boundary box
brain branch brand breach break breakthrough breath bridge brief bright bring broad broadcast broken brother browser
bucket budget buffer bug build builder building bump burden burn burst bury bus business busy but button buy buyer by
bypass bytecode cable cache calculate call camera campaign can canal cancel candidate capability capacity capital car
carbon card care career careful carry case cast catalog catalogue catch categorise categorize category cause caveat
celebrate cell center central centre century ceremony certain chain chair challenge champion chance change channel
chapter char character charge charity chart chase chat cheap check checkpoint chemical chief child children chip
choice choose chosen church cite citizen city civil civilian claim clarify class classic clean clear click client
climate clone close club cluster coach coal coast coat code codebase coffee coin cold collapse colleague collect
collection college column combat combination combine combined come comfort command commander comment commerce
commercial commission commit committee commodity common communication community commuter compact company compare
compared comparison compass compatibility compensation compete competitor compilation compile compiler complain
complaint complete complex complexity comply component compose compress compression compromise compute computer
concentrate concept concern concert conclude conclusion condition conduct conference confidence configuration
configure confirm confirmation conflict confuse confusion congress connect connection consensus consequence
consequently consider consist console consortium constant constraint construct consult consultant consume consumer
consumption contact contain container contaminant contemporary content contest context continent continue contract
contractor contrary contrast contribute contribution contributor control controversy convention conversation
conversely conversion convert convince cook cookie cool cooperate cooperation cooperative coordinate cope copy
copyright core corner coroner corporate corpus correct correction correlation corridor cost could council councillor
councillors councilor count counter country county course court cover coverage craft crash create crew crime criminal
crisis criteria criterion critic critical criticise criticism criticize crop cross crossing crowd crucial crystal
culture cup currency current currently curve custody custom customer customise customize cut cybersecurity cycle daily
damage danger dangerous dark dashboard data database dataset date datum daughter day dead deadline deal dealer death
debate debris debt debug debugger decade decide decision deck declaration declare decline decode decrease decree
deduct deduplication deep default defence defend defender defense deficit define definition degree delay delegate
delete deliver delivery demand demonstrate dense density deny department depend dependency deploy deployment depot
deprecate depression depth deputy derive describe description desert deserve design designer desk despite destination
destroy detail detailed detect detection detective determine develop developer development deviation device devote
diagnose diagnosis diagram did diet differ difference difficult digital dimension dinner diplomat direct direction
director directory dirty disable disadvantage disagree disappear disaster discipline disclose discount discover
discovery discuss discussion disease disk dismiss display dispute distance distinction distinguish distribute
distributed distribution distributor district diversity divide do doc doctor doctrine document documentation does dog
dollar domain dominate donation done donor door dose double doubt down download downside downtime draft drama draw
drawback drawing dream dress drift drink drive driven driver drop drought drug dry dual due during dust duty dynamic
dynamics each eager early earn earnings earthquake ease east easy eaten eating economic economy ecosystem edge edit
edition editor editorial education effect effective efficiency efficient effort egg eight either elect election
electric electronic element eliminate elite elsewhere email embedded embedding embrace emerge emergency emission emit
emotional emperor emphasis emphasise emphasize employ employee employer employment empty enable enclose encode
encounter encourage encrypt encryption end endpoint endure enemy energy enforce enforcement engage engine engineer
enhance enjoy enquiry ensure enter enterprise entertainment enthusiast entire entity entrance entrepreneur entry
envelope environment episode equal equation equip equipment equity era error escape essay essence essential establish
estate estimate estimation ethical ethics evaluate evaluation even evening event eventually ever every everybody
everyone everything everywhere evidence evolve exact exam examination examine examiner example exceed excellent except
exception exchange exclude exclusion excuse execute execution executive exercise exhibition exist existence exit
expand expansion expect expectation expected expense expensive experience experiment experimental expert expertise
expire explain explanation explicit exploit exploration explore explosion export expose exposure express expression
extend extension extent external extra extreme eye fabric face facility fact factor factory faculty fail failover
failure fair fairly faith fall fallen false fame familiar family famine fan far fare farm farmer fashion fast fatal
father favor favorite favour favourite fear feature federal fee feed feedback feel feet fellow felt fetch few fewer
field fight figure file fill filler film filter finally finance financial find finding fine finger finish fire
firefighter firefighters firm firmware first fish fisherman five fix fixed flag flaw fleet flexible flight flood floor
flow flower flown flush fly focus fold folder folk follow food foot football for forbid force forecast foreign forest
forget forgive forgotten fork form formal format formation formerly formula fortune forward fought found foundation
founder four fragment framework fraud free freedom freelance freeware freeze frequency frequent friction friend from
front frontend frontier frozen fuel full fun function functionality fund fundamental funeral furniture furthermore
fusion future gain game gap garden gas gate gateway gather gathering gender gene general generate generation generic
genuine get giant gift girl give given glass global go goal goalkeeper gold golf gone good goods got gotten govern
government grab gradual grain grammar grant graph graphic grass great green grid ground group grow grown growth
guarantee guard guess guest guidance guide guideline guitar gun guy habit had hair half halfway hall halves hand
handle handler handling hang happen happiness happy hard hardly hardship hardware harm harvest has hash hate have
having hazard he head header headline headquarters health hear hearing heart heat heating heaven heavy height held
hello help helpful hence her here hero hesitate hidden hide high highlight hill hint hire his historian historic
history hit hobby hobbyist hold hole holiday holistic home homeowner homework honest honour hope horizon horse
hospital host hostage hostile hot hotel hour house household housing how however huge human hunter husband hybrid
hypotheses hypothesis i ice idea identical identifier identify identity ideology if ignore illegal illness illustrate
illustration image imagination imagine immediate impact impl implementation imply import impose impress impressive
improve improvement in inactive incentive incident include income incoming incorporate increase independent index
indexing indicate indication indicator indices indirect individual industrial industry inevitable infinite inflation
influence inform informal information infrastructure inherit initial initially initiative inject injury inline inmate
innovation innovative input inquest inquiry insect inside insider insight insist inspect inspection inspector
inspiration inspire install installation instance instantiate instead institute instruct instruction instrument
insurance insurer intake integer integration intelligence intense intent intention interact interaction interactive
interest interesting interface intermediate internal international interpret interval intervention interview into
introduce introduction intuition invalid invasion invent inventory invest investigate investigation investigator
investment investor invitation invite invoice invoke involve iron irony is island isolate isolated isolation issue it
item iterate iteration its jacket jail jet jewellery job join joint joke journal journalist journey judge judgement
judgment jump junction junior jury just justice justification justify keep kept kernel key keyboard kick kid kill
killer kind kitchen knife knock know knowledge known label labor laboratory labour lack laid lake land landlord
landscape lane language laptop large large-scale last late latency later latest laughter launch law lawmaker lawyer
lay layer layoff layout lead leader leadership leading leaf league leak lean leap learn least leave leaves lecture led
left legacy legal legend legislation legitimate lend lender length lens lent less lesson let letter level liability
liberty library licence license lie life lifetime lift light like likely likewise limb limestone limit limitation
limited line linear link linter lion liquid list listen literal literature litigation little live lives living load
loader loan local locate location lock log logger logic logical login logo long look loop lord lorry lose loss lost
lot lottery loud love lover low lower luck lunch lung luxury machine made magazine magistrate mail main mainstream
maintain maintainer maintenance major majority make maker male malware man management manager manual manuscript many
map march margin mark market marriage mask mass massive master match mate material math mathematics matrices matter
mature maximum may maybe mayor meal mean meaning means meant meanwhile measure measurement meat mechanic mechanical
mechanism medal media median medical medicine meditation meeting melody member memo memorial memory men mental mention
menu merchant mere merely merge merger merit mess message met metadata metal meter method metric mice microbe
microphone microscope middle middleware midfielder midnight might migrant migrate migration militant military milk
mill mind mine miner mineral minimal minimise minimize minimum minister minor minority minus minute miracle mirror
miss missing mission mist mistake mixed mixture mob mobile mock mode model moderate moderation moderator modern
modification module molecule moment monarch money monitor monitoring monkey month monthly mood moon moral morale more
moreover morning most mother motion motivation motor motorist motorway mount mountain mouse mouth move movement movie
much multiple multiply multitude murder murderer muscle museum mushroom music musician must mutation mutual my mystery
myth naive name namespace narrative nation national natural nature navigation navy near nearly necessary neck need
negative neglect neighbor neighbour neither nerve nest net network neuron neutral never nevertheless new newcomer
newer news newsletter newspaper next nice night nightmare nine no nobody node noise noisy nominal nomination none
nonetheless nor norm normal normalise normalize north northern nose not notable note notebook nothing notice
notification notion novel novelty novice now nuclear number numeric numerous nurse object objection objective
obligation observation observer obstacle obtain obvious occasion occur ocean odd off offence offender offense offer
offering office officer official offspring often oil old old-style older omit on once one online only onset onto open
open-source opening opera operand operation operator opinion opponent opportunity opposite opposition optimal
optimisation optimise optimism optimist optimization optimize option optional or order ordinary organ organic
organisation organise organiser organization organize organizer orientation origin original originate orphan other
otherwise our out outage outbreak outcome outer outlet outline outlook outperform output outside outsider oven over
overall overcome overdose overhead override overview overwrite owe owing own owner ownership oxygen pace pack package
packet page paid pain paint painter painting pair palace pandemic panel panic paper paragraph parallel paramedic
parameter parent park parliament parse parser parsing part partial participant participate participation particle
particular partner partnership pass passage passenger passion passive password past paste patch path patience patient
patrol pattern pause pavement pay payment peace peak pedestrian peer penalty pension pensioner people per perceive
percent percentage perception perfection perform performance performer perhaps period permanent permission persist
person personal personality personnel perspective persuade phase phenomena phenomenon philosopher philosophy phone
photo photograph photographer phrase physical physician physicist physics piano pick pickup picture piece pilgrim pill
pilot pin pipe pipeline pitch pitfall pixel place placeholder plain plaintiff plan plane planet planned planner plant
plastic plate platform play player playing plea pleasant please pleasure plentiful plenty plot plugin plus pocket poem
poet poetry point pointer poison pole police policemen policy political politician politics poll pollution pool poor
pop pope popular population port portion portrait pose position positive possess possession possibility post postcard
poster pot potential pour poverty powder power powerful practical practice practitioner praise prayer precede
precedent precise precision predator predecessor predict prediction prefer preference pregnancy prejudice preliminary
premise premium preparation prepare presence present presentation preservation preserve presidency president press
pressure presume pretend pretty prevent prevention previous previously prey price pride priest primary prince princess
principle print printer prior priority prison prisoner privacy private prize probability probable probe problem
procedure proceed process processor procurement produce producer product production productive productivity profession
professional professor profit program programmer progress project prominent promise promising promote prompt proof
propaganda proper property proposal propose prosecution prosecutor prospect protect protection protein protest
protester protocol prototype prove provide provider provision proximity prune psychologist psychology public
publication publicity publish publisher pull pump punish punishment pupil purchase purpose pursuit push put puzzle
qualification qualify quality quantitative quantity quarrel quarter queen query quest question queue quick quiet quit
quite quota quotation quote race racism radar radiation radio rail railway rain raise rally ran random range rank
ranking rapid rare rat rate rather rating ratio rationale raw reach react reaction read reader ready real realise
reality realize really realm reason rebase rebel rebellion rebuild recall receive receiver recent recently reception
recession recipe recipient recognise recognition recognize recommend recommendation reconcile record recorder recover
recovery recruit recruitment rectangle reduce reduction refactor refer referee reference referendum reflect reflection
reform refugee refund refusal refuse regard regex regime region regional register registration registry regression
regret regular regulation regulator rehabilitation reject relate related relation relationship relative relax
relaxation release relevant reliable relief religion reluctance rely remain remaining remember remind remote removal
remove rename render renew rent repair repeat repeated replace replacement replica reply report repository represent
representation representative republic reputation request require required requirement rescue research researcher
resemble resentment reservation reserve reset residence resident residual resign resist resistance resolution resolve
resource respect respond respondent response responsible rest restart restaurant restoration restore restrict
restriction result resume retailer retain retire retirement retreat retrieval retrieve retry return reuse reveal
revelation revenue reverse revert review revise revision revoke revolution reward rewrite rhetoric rhythm rich ride
rider rifle right ring rise risen risk ritual rival river road robbery robot robust rock rocket role roll rollback
rollout room root rope rose rotate rotation rough roughly round route router routine row royalty rubbish rule rumor
rumour run runtime rural rush sacrifice sad safe safeguard safety said sailor salary sales salt same sample sampling
sanction sand sat satellite satisfaction save saving say scalable scale scan scandal scarce scarcely scattered
scenario scene sceptic schedule scheduler schema scheme scholar scholarship school science scientist scope score
scorer scratch scream screen script sea seal search season seat second secret secretary section sector secure security
see seek seem seen segment select selected selection self sell selves semantic semantics seminar senator send senior
sensation sensitive sensor sent sentence sentiment separate separation sequence sergeant serialise serialize series
serious servant serve server service session set setting settle seven several sex shadow shake shall shallow shame
shape share shareholder sharp she shed sheep sheer sheet shelf shell shelter shelves shift shine ship shipment shirt
shock shoot shooter shooting shop shopper shore short shortage shot should shoulder show shown shrink shut side sight
sign signal signature significant silence silent silver similar similarity similarly simple simplicity simulate
simulation simulator sin since sing singer sink sister sit site situation six size skeptic skew skill skilled skin
skip sky slave sleep slept slice slight slot slow small smart smell smile smoke smooth snapshot snow so soccer social
socket software soil sold soldier solid solo solution solve solver some somebody someone something sometimes son song
soon sort sorting soul sound source south space spare sparse sparsity spatial speak speaker special specialist species
specific specification specify specimen spectator spectrum speculate speculation speech speed spell spend spending
spent sphere spill spin spirit split spoil spoken spokesman spokesperson spokeswoman sponsor spot spouse spread spring
spy squad square stability stable stack stadium staff stage stake stakeholder stall stamp stand standard standing star
stare start startup state stateless statement static station statistic statistical statistics statue status stay
steady steal steel steer stem step stereotype stick still stir stock stole stomach stone stood stop storage store
storm story strain stranger strategic strategist strategy stream street strength strengthen stress stretch strict
strike striker string strip strive strong struck structural structure struggle student studio study stuff style
subject submission submit subscription subsequent subset substance substitute subtle subtract suburb success
successful successor such sudden suffer sufficient suggest suggestion suicide suit suitable suite sum summarise
summarize summary summer summit sun super superintendent supervisor supplementary supplier supply support supporter
suppose suppression surface surge surgeon surgery surplus surprise surprising surround surveillance survey survival
survive survivor suspect suspend suspension suspicion suspicious sustain sustainability swap swear sweat sweep swept
swim swing switch sword sworn syllabus symbol symbolic sympathy symptom synchronise synchronize syndrome syntax
synthesis synthetic system systematic table tablet tackle tactic tail taint take taken talent talk tank tape target
task taste taught tax taxpayer teach teacher teaching team tear technical technique teenager teeth telegraph telephone
telescope television tell temper temperature template temple temporary temptation ten tenant tend tendency tension
tent tenure term terminal terminate terrain territory terror terrorist test testimony text texture than thank thanks
that the theater theatre theft their theme then theorem theory therapy there therefore these theses thesis they thief
thieves thing think thinking third this those though thought thread threat three threshold threw throat throne through
throughout throughput throw thus ticket tide tie tight tile till timber time timeline timeout timer tin tiny tip
tissue titan title to today together toggle toilet token told tolerate toll tomato tomorrow ton tone tongue too tool
tooth top topic torch total touch tough tourist tournament toward towards towel tower town toy trace track tracker
trade tradeoff trader tradition traditional traffic trail trailer train trainer training trait tram transaction
transcript transfer transform transformation transformer transit transition translate translation transmission
transmit transparent transport trap trauma travel traveler traveller treasure treasury treat treatment treaty tree
tremendous trend trial triangle tribe tribunal tribute trick trigger trim trip triple trivial troop trooper trophy
trouble trousers truck true trust trustee truth try tuition tune tuning tunnel turn tutorial twin twist two type typed
typical typically tyre ultimate ultimatum unable uncertain uncle under undergo understand understanding understood
undertake undo unemployment uniform unify union unique unit unite unity universal universe university unknown unless
unlike unlikely unlock unofficial unpack unrest until unusual up upcoming update upgrade upload upon upper upside
uptake urban urge urgency urgent usage use useful user usually utilise utility utilize vacancy vacation vaccine valid
validate validation validator valley valuable value vanish variable variance variation variety various vary vast
vector vegetable vehicle vein vendor venture venue verbal verdict verification verify version vertices very vessel
veteran via viability viable victim video view viewer village villager violate violation violence violin virtual virus
visible vision visit visitor visual vital vitamin vocabulary voice volcano volume voluntary volunteer vote voter
voyage vulnerability vulnerable wage wait wake walk wall wallet wander want war ward warehouse warm warn warning
warrant warranty was wash waste watch watchdog water wave way we weak weakness wealth weapon wear weather web webhook
website wedding week weekday weekend weekly weigh weight welcome welfare were west wet what whatever wheel when
whenever where whereas wherever whether which whichever while whistleblower whitespace who whoever whole whom whose
why wide widow width wife wild wildlife will win wind window wine wing winner winter wipe wire wireless wisdom wish
witch with withdrawal within without witness wives woke wolf woman womb women won wonder wood woodland word wording
wore work workaround worker workflow workload workplace workshop world worldwide worry worse worship worst worth
worthy would wound wrap wrapper wrist write writer written wrong year yearly yes yesterday yet yield you young
youngster your youth zero zone
"""
_KNOWN = """
ad africa african ag ai aids am america american api apis appendix asia asian bc bce britain british bst cd ce ceo
cest cet cfo chapter christmas ci cli co co2 coo corp covid cpu cpus css csv cto dj dna dns dr dvd earth easter edt
english est etc eu eur europe european faq fi fig figure flop flops friday ftp gb gbp gib gmbh gmt god gpu gpus gui
h2o hdd hiv hr html http https id ide ids inc internet iot ip ipv4 ipv6 it javascript jpy jr json kb kib lan linux llc
llm llms ltd mb mib ml monday mr mrs ms ngo nlp no nosql nr ocr ok orm os part pdf pdfs pdt phd pin plc pm pr prof
projects prs pst python q1 q2 q3 q4 qa rag ram readme rna rom rss saturday sdk section sir sms sql sr ssd ssh ssl st
summary sunday table tb tcp theme thursday tib tl tldr tls todo tuesday tv uae udp ui uk un unix uri url urls us usa
usb usd utc ux vat vip vm vms vpn vs wan web wednesday wi wifi windows xml yaml
"""
_PEOPLES = """
germany: german germans
france: french
spain: spanish spaniards
netherlands: dutch holland
portugal: portuguese
finland: finnish finns
sweden: swedish swedes
denmark: danish danes
norway: norwegian norwegians
poland: polish poles
switzerland: swiss
china: chinese
japan: japanese
ireland: irish
wales: welsh
scotland: scottish scots
greece: greek greeks
turkey: turkish turks türkiye
britain: british uk kingdom england
america: united american americans us usa states
peru: peruvian
thailand: thai
israel: israeli israelis
iraq: iraqi iraqis
czech: czechia czechs
belgium: belgian belgians
europe: european europeans eu union
iceland: icelandic
philippines: filipino filipinos
cyprus: cypriot
malta: maltese
taiwan: taiwanese
postgresql: postgres
kubernetes: k8s
javascript: js
typescript: ts
zstandard: zstd
github: gh
macos: osx mac
"""

_STOP = "a an the of and or for in on to with by at from as is are was were be that this it its"
_LANGUAGES = """
de: der die das und ist nicht mit von für ein eine den dem des im auf sich auch werden wird
other: el los las del que una por con para les des une est dans pour qui il di che della och är het een e o não
en: the of and to is in that was for with it are by as on from has have its this be an at
"""

COMMON = frozenset(_COMMON.split())
"""English words in their simplest form that begin sentences without being names; `names` knows their endings."""
KNOWN = frozenset(_KNOWN.split())
"""Capitalised words that nobody would ask a source for."""
PEOPLES = {
    name: place
    for place, _, others in (line.partition(":") for line in _PEOPLES.strip().splitlines())
    for name in (place, *others.split())
}
"""A place, its people, and other names of the same thing → one of them."""
STOP = frozenset(_STOP.split())
"""Words that initials may leave out."""
LANGUAGES = {
    language: frozenset(words.split())
    for language, _, words in (line.partition(":") for line in _LANGUAGES.strip().splitlines())
}
"""Small words by which a language is known, as far as its capitals make a difference."""
