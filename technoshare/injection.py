"""Text on a page that speaks to AI tools instead of readers: "ignore previous instructions" and its kin.

Nothing depends on finding it: a model that obeys such a text still cannot get anything out. It is found so that readers
are warned, and so that nobody quotes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from technoshare.text import normalise

_AI = (
    r"(?:ai|a\.i\.|llms?|gpt|chatgpt|(?:large )?language models?|ai (?:assistants?|agents?|models?|tools?|systems?|"
    r"bots?|reviewers?|readers?|summari[sz]ers?)|chat ?bots?|summari[sz](?:ers?|ation (?:tools?|bots?)))"
)
_BEFORE = r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|initial|system|past)"
_ORDERS = r"(?:instructions?|prompts?|rules?|directions?|directives?|guidelines?|messages?|commands?|orders?|context)"
_SAY = r"(?:respond|reply|answer|output|say|write|print|state|include|mention|begin|start|end|recommend|insert|append)"
_PAGE = r"(?:page|document|text|article|content|website|site|post|repository|repo|readme|paper|file|issue)"

# One pattern a line, matched against normalised text: lower case, plain quotes, single spaces. Languages in this order:
# English, a blob to decode, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Turkish, Russian and
# Ukrainian, Arabic, Chinese, Japanese, Korean.
_PATTERNS = rf"""
\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|(?:stop|not) follow(?:ing)?)\b[^.!?]{{0,30}}\b{_BEFORE}\b[^.!?]{{0,20}}\b{_ORDERS}\b
\b(?:ignore|disregard|forget|override)\b (?:all |any |every |the |your |of )*(?:instructions|(?:system )?prompts?)\b
\b(?:ignore|disregard|forget) (?:everything|anything|all|what)(?: that)?(?: was| is| came| comes)? (?:above|before|you (?:were|have been|know))
\b(?:attention|note|notice|message|instructions?|important|dear|hey|hello|hi|directives?|warning)\b[ ,:!-]*(?:to |for )?(?:any |all |the |every |an? )?{_AI}\s*[,:;.!)\]-]
\b(?:instructions?|directives?|orders|message|prompt) (?:to|for) (?:any |all |the |every |an? )?(?:{_AI}|(?:assistant|model|bot|agent)s?)\s+(?:reading|processing|summari[sz]ing|that|who|which|only)\b
\bif you(?:'re| are) (?:an? |the )?{_AI}\b
\bas (?:an? |the )?{_AI},? (?:you|please|do|never|always)\b
\b(?:when|while|before|after|in|if) (?:you )?(?:summari[sz](?:e|ing)|process(?:ing)?|analy[sz](?:e|ing)|review(?:ing)?|comment(?:ing)? on|read(?:ing)?) (?:this|the) {_PAGE}\b[^.!?]{{0,30}}?\b(?:you must|you should|you have to|always|please|do not|never|{_SAY})\b
\b(?:reveal|print|repeat|output|show|disclose|leak|send|display|include|translate)\b[^.!?]{{0,20}}\b(?:your|the) (?:full |entire |whole |complete |secret |hidden |original |initial )*(?:system (?:prompt|message|instructions)|prompt (?:above|verbatim)|hidden (?:prompt|instructions)|instructions (?:above|verbatim|you were given))
(?:^|[.!?:;,] )(?:please |now |then |just |only )*{_SAY} (?:only|exactly|just|nothing but|the (?:exact )?(?:words?|phrase|sentence|string|text))\b
\bdo not (?:summari[sz]e this|tell the (?:user|reader)|inform the user|mention (?:this|these|the) {_ORDERS}|reveal (?:this|these))
\bthe user (?:has |have |already )*(?:asked|wants|requested|authori[sz]ed|told|instructed) you\b
\byour (?:new|real|true|actual|only) (?:task|instructions?|goal|role|job|objective|purpose) (?:is|are)\b
\byou are (?:now|no longer)\b[^.!?]{{0,40}}\b(?:dan\b|developer mode|jailbroken|unrestricted|unfiltered|bound by|an? (?:ai|assistant|pirate|bot)|in (?:debug|admin|maintenance|god) mode|root)
\bfrom now on,? (?:you|respond|reply|answer|always|only|act)\b
\b(?:new|updated|revised|hidden|secret|additional) (?:system )?(?:instructions?|prompt|directives?)\s*[:(]
\b(?:begin|start|end) (?:of )?(?:new |secret |hidden |the )*(?:system (?:prompt|instructions?|message)|instructions)\b
\bsystem (?:override|prompt override)\b|\b(?:admin|developer|debug|god|maintenance) mode (?:enabled|activated|on)\b
\b(?:call|invoke|run|trigger) (?:the |your )[`'\"]?(?:search|fetch|browse|browser|http|web|shell|code)[`'\"]? tool\b
^\W{{0,4}}(?:system|assistant|developer)\W{{0,3}}: ?(?:you (?:are|must|should|will)|ignore|from now|new|do|always|never)
\b(?:decode|decrypt|base64|rot13|execute|run|follow)\b.{{0,120}}[a-z0-9+/]{{40}}
(?<![a-z0-9+/])[a-z0-9+/]{{40,1000}}={{0,2}}.{{0,80}}\b(?:decode|decrypt|base64|execute|follow)\b
\b(?:ignorier\w*|vergiss|vergesst|vergessen sie|missacht\w*|übergeh\w*)\b.{{0,40}}\b(?:anweisung|instruktion|befehl|regel|vorgabe|prompt|aufforderung)\w*
\b(?:ignore[zr]?|oublie[zr]?|ne ten(?:ez|ons) pas compte)\b.{{0,40}}\b(?:instructions?|consignes?|directives?|règles?|ordres?)\b.{{0,20}}(?:précédent|antérieur|ci-dessus|système)
\b(?:ignor(?:a|e|ar|en)|olvid(?:a|e|ar)|desobedec\w+|caso omiso)\b.{{0,40}}\b(?:instrucci|indicaci|reglas|órdenes)\w*.{{0,20}}(?:anterior|previa|arriba|sistema)
\b(?:ignor(?:e|a|ar|em)|esqueç?[ac]\w*|desconsidere\w*)\b.{{0,40}}\b(?:instruç|orientaç|regras|ordens)\w*.{{0,20}}(?:anterior|prévia|acima|sistema)
\b(?:ignor(?:a|are|ate)|dimentica\w*|trascura\w*)\b.{{0,40}}\b(?:istruzion|indicazion|regol|ordin)\w*.{{0,20}}(?:precedent|sopra|sistema)
\b(?:negeer|vergeet)\b.{{0,40}}\b(?:vorige|eerdere|bovenstaande|voorgaande|alle)\b.{{0,20}}\b(?:instructie|opdracht|regel)\w*
\b(?:z?ignoruj\w*|zapomnij\w*)\b.{{0,40}}\b(?:instrukcj|polece|zasad)\w*
\b(?:önceki|yukarıdaki|tüm)\b.{{0,20}}\b(?:talimat|komut|yönerge)\w*.{{0,30}}(?:yok say|unut|görmezden|dikkate alma)
(?:игнорир|забуд|не обращай|ігнору)\w*.{{0,40}}(?:инструкц|указани|команд|правил|інструкц|вказівк)\w*
تجاهل.{{0,30}}(?:التعليمات|الأوامر|التوجيهات)
(?:忽略|无视|無視|忘记|忘掉|不要理会).{{0,12}}(?:指令|指示|说明|提示|规则|命令)
(?:以前|前|上記|これまで|すべて|全て).{{0,8}}(?:指示|命令|プロンプト|ルール).{{0,6}}(?:無視|忘れ)
(?:이전|위의|모든|앞의).{{0,10}}(?:지시|명령|지침|프롬프트).{{0,8}}(?:무시|잊)
""".strip().splitlines()  # noqa: E501 - one pattern is one line
_INSTRUCTION = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))
_LONGEST = 2_000
"""Characters of a line that are looked at: more than any snippet has; patterns with gaps take long on longer ones."""
_ROLE_MARK = re.compile(
    r"<[|｜][^|｜<>\n]{1,40}[|｜]>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|^#{2,4} ?Instructions?:", re.MULTILINE
)


def addressed_to_machines(texts: Iterable[str]) -> Iterator[str]:
    """Yield the lines that give orders to AI tools."""
    return (line for text in texts for line in text.splitlines() if orders_machines(line))


def for_readers(text: str) -> str:
    """Return the text without the lines that give orders to AI tools: what stands beside an order belongs to it."""
    return "\n".join("" if orders_machines(line) else line for line in text.splitlines())


def orders_machines(line: str) -> bool:
    """Tell whether a line of text gives orders to AI tools, or pretends to be another speaker."""
    line = line[:_LONGEST]
    return bool(_ROLE_MARK.search(line) or _INSTRUCTION.search(normalise(line)))
