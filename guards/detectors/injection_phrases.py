# ruff: noqa: E501, RUF001  a table of phrases in several scripts, broken where they read best
"""How people tell a model to forget what it was told: phrases in several languages, of our own writing."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """`opening` is a letter sequence that every match has, in lower case: without it nothing is tried."""

    label: str
    score: float
    openings: tuple[str, ...]
    regex: re.Pattern[str]


def _phrase(label: str, score: float, openings: str, regex: str) -> Phrase:
    spaced = regex.replace(" ", r"[\s,*_]{1,4}")
    return Phrase(label, score, tuple(openings.split("|")), re.compile(spaced, re.IGNORECASE))


_BEFORE = r"(?:previous|prior|preceding|earlier|above|former|foregoing|existing|original|initial|system)"
_RULES = r"(?:instructions?|prompts?|directives?|guidelines|guard\s?rails|programming|system messages?|training|safety rules)"
_DROP = r"(?:ignore|disregard|forget|override|bypass|discard|drop|neglect|overlook)"
_OWN_PROMPT = (
    r"(?:system|initial|hidden|original|secret|developer|first) (?:prompts?|instructions?|messages?|rules|directives?)"
)

PHRASES = (
    # --- instructions overridden
    _phrase(
        "override", 0.9, "ignor|disregard|forget|overrid|bypass|discard|drop|neglect|overlook",
        rf"\b{_DROP} (?:(?:all|any|every|each|of|the|your|my|these|those|and) ){{0,4}}(?:{_BEFORE} (?:and {_BEFORE} )?)"
        rf"(?:(?:system|safety|given|user|developer) ){{0,2}}{_RULES}\b",
    ),
    _phrase(
        "override", 0.8, "ignor|disregard|forget|overrid|bypass",
        rf"\b{_DROP} (?:all|any|every|everything)(?: of)?(?: (?:the|your|these|those|safety|content|ethical)){{0,3}} "
        r"(?:instructions|rules|restrictions|guidelines|guard\s?rails|policies|filters|constraints|programming)"
        r"(?=[\s.,;:!]{0,3}(?:you|and|from|given|that|$|[.!\n]))",
    ),
    _phrase(
        "override", 0.9, "ignor|disregard|forget",
        r"\b(?:ignore|disregard|forget) (?:everything|anything|all|what(?:ever)?)(?: that)?(?: (?:you|i|we|they|was|were|"
        r"has|have|had|been|just|ever|were)){0,3} (?:told|said|instructed|trained|programmed|written)"
        r"(?: (?:to|about|by|above|before|so|far|earlier|you)){0,3}(?= |[.,;!\n]|$)",
    ),
    _phrase(
        "override", 0.8, "new instructions|new rules|new directive|real instructions|actual instructions",
        r"(?:^|[.!?:;\n#>*-]\s{0,3})(?:your|these are your|here are your|from now on,? your) "
        r"(?:new|real|actual|true|only) (?:instructions|rules|directives?|task|goal|orders)\b",
    ),
    _phrase("override", 0.9, "anweisung|vorgaben|regeln|prompt",
        r"\b(?:ignorier\w*|vergiss|missachte|vergessen sie|übergehe) (?:bitte )?(?:(?:alle|all|sämtliche|deine|ihre|die|"
        r"alles|zuvor|bisher) ){0,3}(?:(?:vorherig|bisherig|vorangegangen|früher|obig|ursprünglich)\w* )"
        r"(?:anweisung\w*|vorgaben|regeln|instruktionen|prompts?)"),
    _phrase("override", 0.9, "instructions|consignes|directives|règles",
        r"\b(?:ignore[zs]?|oublie[zs]?|ne tiens pas compte de|ne tenez pas compte de) (?:(?:toutes?|tous|les|tes|vos|des) "
        r"){0,3}(?:instructions|consignes|directives|règles) (?:précédentes|antérieures|ci-dessus|initiales|du système)"),
    _phrase("override", 0.9, "instrucciones|indicaciones|reglas|órdenes",
        r"\b(?:ignora|ignore|olvida|olvide|descarta|haz caso omiso de) (?:(?:todas?|todos|las|los|tus|sus) ){0,3}"
        r"(?:instrucciones|indicaciones|reglas|órdenes) (?:anteriores|previas|iniciales|del sistema)"),
    _phrase("override", 0.9, "istruzioni|indicazioni|regole",
        r"\b(?:ignora|dimentica|trascura|ignorate) (?:(?:tutte|le|tue|vostre) ){0,3}(?:istruzioni|indicazioni|regole) "
        r"(?:precedenti|iniziali|di sistema|qui sopra)"),
    _phrase("override", 0.9, "instruções|regras|ordens",
        r"\b(?:ignore|ignora|esqueça|esquece|desconsidere) (?:(?:todas|as|suas|tuas) ){0,3}(?:instruções|regras|ordens) "
        r"(?:anteriores|acima|iniciais|do sistema)"),
    _phrase("override", 0.9, "instructies|aanwijzingen|regels",
        r"\b(?:negeer|vergeet) (?:(?:alle|de|je|uw|bovenstaande) ){0,3}(?:vorige|eerdere|voorgaande|bovenstaande) "
        r"(?:instructies|aanwijzingen|regels)"),
    _phrase("override", 0.9, "instrukcj|poleceni",
        r"\b(?:zignoruj|ignoruj|zapomnij o|pomiń) (?:(?:wszystkie|wszystkich|swoje|swoich) ){0,2}(?:poprzednie|poprzednich|"
        r"wcześniejsze|wcześniejszych|powyższe) (?:instrukcj\w{1,3}|poleceni\w{1,3})"),
    _phrase("override", 0.9, "инструкци|указани|правил",
        r"\b(?:игнорируй\w*|забудь\w*|проигнорируй\w*|не обращай внимания на) (?:(?:все|всё|свои|твои|эти) ){0,3}"
        r"(?:предыдущие|прежние|прошлые|вышеуказанные|системные) (?:инструкци\w|указани\w|правила)"),
    _phrase("override", 0.9, "talimat",
        r"\b(?:önceki|yukarıdaki) (?:(?:tüm|bütün) )?talimatlar\w{0,6} (?:yok say|unut|görmezden gel|dikkate alma)"),
    _phrase("override", 0.9, "指示|命令|指令|提示|规则",
        r"(?:忽略|无视|忘记|忘掉)[^。！？\n]{0,6}(?:之前|以上|先前|前面|上面)[^。！？\n]{0,8}(?:指示|指令|提示|规则|命令)"
        r"|(?:これまで|以前|上記|前|今まで)の(?:すべての|全ての)?(?:指示|命令)[^。\n]{0,4}(?:無視|忘れ)"),
    # --- a role without rules
    _phrase("role_play", 0.9, "dan|jailbr|developer mode|do anything now|unfiltered|stan",
        r"\byou are(?: now)?(?: going to (?:act|behave|respond) as)? (?:(?-i:DAN|STAN)|(?:a )?jailbroken \w{1,20}|in developer mode)\b"
        r"|\b(?:act|respond|answer|behave) as (?:(?-i:DAN|STAN)|an? (?:unfiltered|uncensored|unrestricted|jailbroken) \w{1,20})\b"
        r"|\byou can do anything now\b|\b(?:enable|enter|activate|switch to) (?:developer|jailbreak|DAN|god|unrestricted) mode\b"),
    _phrase("role_play", 0.8, "no restrictions|without restrictions|no rules|no limits|no ethical|without any|no longer bound|no filters|not bound|free of",
        r"\b(?:pretend|imagine|act as if|roleplay as|role-play as|behave as if|from now on|you are|you're)\b[^.!?\n]{0,100}?"
        r"\b(?:(?:has|have|had|with|without|are|is) (?:no|any|zero) (?:ethical |moral |content |safety )?"
        r"(?:restrictions|rules|limits|limitations|guidelines|filters|morals|ethics)|no longer bound by|not bound by"
        r"|free of all (?:restrictions|rules))\b"),
    _phrase("role_play", 0.8, "einschränkung|restricciones|restrictions|restrizioni|ограничени|没有任何限制|無制限",
        r"\b(?:tu so als|stell dir vor|du bist (?:jetzt|nun)|fais comme si|imagine que|tu es maintenant|finge que|imagina que|"
        r"ahora eres|fingi di|ora sei|представь|притворись|теперь ты)\b[^.!?\n]{0,80}?"
        r"(?:ohne (?:jede )?einschränkung\w*|keine einschränkungen|sans (?:aucune )?restrictions?|sin (?:ninguna )?restricci\w+"
        r"|senza (?:alcuna )?restrizion\w|без (?:всяких )?ограничений|нет (?:никаких )?ограничений)"
        r"|(?:假装|扮演|你现在是)[^。！？\n]{0,30}没有任何限制"),
    # --- the prompt asked for
    _phrase("prompt_leak", 0.8, "prompt|instruction|messages|rules|directive",
        rf"\b(?:reveal|print|show|repeat|output|display|leak|expose|tell me|give me|write out|recite|copy|dump|disclose|"
        rf"what (?:is|are|was|were)|share)(?: (?:me|us|out|back|exactly|verbatim)){{0,2}} (?:(?:all|of|the|your|full|entire|"
        rf"complete|exact|whole|text) ){{0,4}}your (?:(?:full|entire|complete|exact|whole) ){{0,2}}{_OWN_PROMPT}\b"),
    _phrase("prompt_leak", 0.9, "above|before this|so far",
        r"\b(?:repeat|print|output|write|copy|translate|summari[sz]e) (?:(?:me|out|back|all|of|everything|the|every) ){0,4}"
        r"(?:words?|text|everything|content|lines?)?[\s,]{0,2}(?:above|before this (?:line|message)|that (?:came|comes) before)"
        r"[^.!?\n]{0,60}\b(?:starting with|beginning with|verbatim|word for word|code\s?block|you are)\b"),
    _phrase("prompt_leak", 0.8, "systemprompt|system-prompt|system prompt|prompt système|prompt del sistema|prompt di sistema|prompt do sistema|системн|系统提示|システムプロンプト",
        r"\b(?:zeig|nenne|verrate|gib)\w*[^.!?\n]{0,40}\b(?:deinen|ihren) system[-\s]?prompt\b"
        r"|\b(?:montre|affiche|révèle|donne)[^.!?\n]{0,40}\bton prompt système\b"
        r"|\b(?:muestra|muéstrame|revela|dime)[^.!?\n]{0,40}\btu prompt del sistema\b"
        r"|\b(?:mostra|mostrami|rivela)[^.!?\n]{0,40}\btuo prompt di sistema\b"
        r"|\b(?:mostre|revele)[^.!?\n]{0,40}\bseu prompt do sistema\b"
        r"|\b(?:покажи|раскрой|выведи)[^.!?\n]{0,40}\b(?:свой|твой) системный промпт\b"
        r"|(?:显示|告诉我|输出|透露)[^。！？\n]{0,12}系统提示|システムプロンプト[^。\n]{0,8}(?:教えて|表示|出力|見せて)"),
    # --- what a tool result has no business to say
    _phrase("tool_instruction", 0.8, "assistant|language model|llm|ai agent|ai model|chatbot|ais ",
        r"\b(?:note|message|instructions?|attention|important|notice)(?: (?:to|for))(?: (?:all|any|the|every)){0,2} "
        r"(?:AI|LLM|language model|AI assistant|assistant|chatbot|AI agent|AI model)s?\b(?=\s?[:,.!-]| reading| that| who)"
        r"|\bif you(?: are|'re) an? (?:AI|LLM|large language model|language model|AI assistant|AI agent|chatbot)\b"
        r"[^.!?\n]{0,20}[,:;]"
        r"|\b(?:AI|LLM|language model)s?(?: (?:assistants?|agents?|models?))? (?:reading|processing|summari[sz]ing|parsing) "
        r"this (?:page|document|text|email|file|message|review|ticket)?[^.!?\n]{0,30}\b(?:must|should|shall|please|need to)\b"),
    _phrase("tool_instruction", 0.8, "do not tell|don't tell|without telling|do not mention|don't mention|do not inform|without informing",
        r"\b(?:do not|don't|never|without) (?:tell|telling|mention|mentioning|inform|informing|alert|notify|reveal) "
        r"(?:this to |any of this to |it to )?the (?:user|human|operator)\b"),
    _phrase("tool_instruction", 0.7, "before using this tool|before calling|important>|system-reminder|you must call|must first call",
        r"\bbefore (?:using|calling) this tool[^.\n]{0,80}\b(?:read|send|call|pass|include|fetch)\b"
        r"|<(?:important|system|system-reminder|instructions)>[^<]{0,400}\b(?:you must|you should|send|forward|read)\b"),
    # --- turns that nobody took
    _phrase("fake_turn", 0.8, "<|im_start|>|<|system|>|<|start_header_id|>|<<sys>>|[inst]|<|endoftext|>|<start_of_turn>",
        r"<\|im_start\|>|<\|system\|>|<\|start_header_id\|>|<<sys>>|(?-i:\[INST\])|<\|endoftext\|>|<start_of_turn>"),
    _phrase("fake_turn", 0.6, "system:|system message|system]|system override",
        r"(?:^|\n)[#\[*]{1,4}\s?system(?: (?:message|override|prompt))?\s?[\]*:]{1,4}\s{0,3}(?:you|ignore|new|from now|the user|override)\b"),
)  # fmt: skip
"""Bounded everywhere: no phrase looks further than a few hundred characters from where it begins."""
