"""What refusals in English are made of: who speaks, what is not done, and to which request.

Expressions are put together here once; `refusal` says where in an answer they count. Input has
straight quotes; upper and lower case are alike.
"""

import re

_REQUEST = (
    "(?:request|question|prompt|task|query|instruction|text|passage|document|article|content"
    "|material|information|detail|subject|topic|matter|conversation|story|essay|poem"
    "|scene|speech|summary|opinion|advice|assistance|guidance|answer|response|fiction|lyric|joke"
    "|piece|direction|email|description|review|message|translation|rewrit(?:e|ing)|version|article|script"
    "|paraphrase|analysis|example|tutorial|guide|list|argument|role-?play)s?"
)
"""What a request asks for, or is."""
_LOOSE = (
    "(?:content|instructions|advice|assistance|information|material|lyrics|fiction|claims"
    "|opinions?|role-?play|scams?|emails|jokes|diagnos[ie]s|directions for|details about"
    "|questions (?:about|on)|(?:stories|texts|scenes|poems|essays) (?:about|with|that|which|in)"
    "|(?:something|anything) (?:that|like|of)|(?:of|like) (?:this|that) (?:nature|kind|sort|type))"
)
"""What only a request would be about, even without an article."""
_THIS = "(?:this|that|these|those|such|your|the|any)"
_END = r"(?= ?(?:[.,;:!?*]|$|\n|(?:one|either)\b|because\b|as\b|since\b|due\b|for you\b|and\b|but\b|in the way\b))"
_HOW = "(?:(?:really|simply|just|currently|truly|also|therefore|actually|personally|ethically) )*"
_UNABLE = (
    "(?:can(?: ?not|'t)|won't|will not|could(?: not|n't)|(?:am|'m) (?:currently )?unable to"
    "|(?:am|'m) not (?:currently )?able to|(?:won't|will not) be able to|cannot and will not"
    "|refuse to|(?:'d|would) (?:rather|prefer)(?: to)? not(?: to)?"
    "|(?:must|have to) (?:respectfully |politely )?(?:decline|refuse) to"
    "|(?:am|'m) not (?:allowed|permitted|willing|going|prepared|in a position|programmed|designed"
    "|comfortable|meant|here|supposed)(?: to)?|(?:don't|do not) feel (?:comfortable|right|able)(?: to)?"
    "|was not (?:designed|made|built) to|(?:won't|will not) be|(?:should|must) not|shouldn't"
    "|(?:have been|was|am|'m) (?:instructed|programmed|designed|told) not to)"
)
_CANNOT = f"i ?{_HOW}{_UNABLE} (?:{_HOW}|in good conscience |ever |be )"
_HELP = (
    f"(?:help|assist)(?:ing)?(?: you)?(?: out)?(?:(?! but\\b){_END}"
    rf"| (?:with|in|on) (?:(?:this|that|it|these|those)(?: one| matter| subject| regard)?{_END}"
    f"|{_THIS} (?:[\\w-]+ ){{0,2}}{_REQUEST}\\b|any\\b|(?:creat|writ|generat|mak|produc|plann)ing\\b)"
    "| there\\b| (?:anyone|anybody|someone|somebody|people)\\b| you (?:write|create|make|plan|cheat|hack|harm|hide|get (?:in|a|around)))"
)
_COMPLY = (
    f"(?:comply\\b|(?:fulfil+|satisfy|accommodate|support|process|complete|honou?r|respond to|carry out"
    f"|proceed with|engage (?:with|in)|participate in|continu(?:e|ing)(?: with| writing)?)(?:ing)? "
    f"(?:(?:in )?{_THIS} (?:[\\w-]+ ){{0,2}}{_REQUEST}\\b|(?:this|that|it)\\b{_END}"
    f"|conversations? of|role ?play|creating\\b|discussions? (?:of|about)\\b)"
    "|role-?play(?: as)?\\b"
    f"|(?:continue|proceed|respond){_END})"
)
_WRITE = (
    "(?:write|rewrite|create|generate|produce|provide|give|share|offer|answer|discuss|talk|speak"
    "|summari[sz]e|translate|reproduce|describe|make|draft|compose|complete|edit|present|tell|form"
    "|depict|express|recommend|do|(?:writ|rewrit|creat|generat|produc|provid|giv|shar|offer|answer"
    "|discuss|talk|speak|summari[sz]|translat|reproduc|describ|mak)ing)"
)
_DEIXIS = "(?:writ|creat|generat|produc|provid|describ|compos|draft|depict|reproduc|rewrit|support)"
_TO_YOU = "(?: (?:you|about|on|of|for|to you)(?: with)?)*"
_WORK = (
    f"{_WRITE}{_TO_YOU} (?:(?:this|that|it|these|so|such an? \\w+|more){_END}"
    f"|(?:this|that|such|your)(?: an?)? (?:[\\w-]+ ){{0,3}}{_REQUEST}\\b"
    f"|(?:the|any|an?)?(?: ?[\\w-]+){{0,3}} ?\\b{_LOOSE}\\b"
    f"|(?:the )?(?:text|passage|document|article)s?\\b(?:{_END}| that\\b| which\\b)"
    f"|an? (?:[\\w-]+ ){{0,3}}(?:{_REQUEST}|letters?) (?:that|which|of an?|on how|in which|on this|about how)\\b"
    f"|(?:personal|political) \\w+\\b)"
    f"|(?:(?:re)?writ(?:e|ing)|creat(?:e|ing)|generat(?:e|ing)|(?:re)?produc(?:e|ing)|provid(?:e|ing)"
    f"|compose|draft){_TO_YOU} (?:an?|the|any) (?:[\\w-]+ ){{0,4}}{_REQUEST}\\b(?! without)"
    f"|{_DEIXIS}\\w* (?:this|that|such|these|those) \\w+\\b"
    "|(?:pretend|act) to be an?\\b"
)
_REACH = (
    "(?:(?:access|open|browse|visit|view) (?:(?:the|any|an?|your|external) )*"
    "(?:external|links?|files?|attachments?|images?|internet|web(?:sites?|pages?)?|page you|urls?)\\b"
    "|(?:access|read|see|find) (?:(?:the|any|an?|your) )*(?:text\\b"
    "|(?:passage|document|article)s? (?:in|to|you)))"
)
_LACK = (
    "i (?:(?:don't|do not|currently don't) have|have no|lack) (?:any )?(?:the ability to|way of"
    "|access to (?:the (?:internet|web|text|article|document|file|link|page)|real|current|external"
    "|your|any|information|(?:that|this|the) (?:book|table|text|article|file"
    "|passage))|real-time|personal (?:opinions?|experiences?"
    "|feelings?|beliefs?|preferences)"
    "|opinions\\b|feelings or|enough (?:information|context|details?)|information (?:about|on)"
    "|the (?:text|passage|document|article)\\b)"
)
_MACHINE = (
    "(?:(?:[a-z]+[- ](?:based )?)?ai|artificial intelligence|(?:large |ai )?language model"
    "|(?:ai|virtual|digital) (?:language model|assistant|model|system|chatbot))"
)
_IDENTITY = (
    rf"(?:as an? {_MACHINE}(?: (?:created|developed|made|trained) by [^,.\n]+)?,? i {_HOW}"
    "(?:can(?:not|'t| not)|don't|do not|am not|'m not|am unable|must|won't|will not|have no|lack"
    f"|am (?:programmed|designed))|i(?:'m| am) (?:just |only |simply |merely )?an? {_MACHINE}"
    r"\b(?: and|,| so|\.)(?=[^\n]*(?:n't|not\b|unable))"
    "|i(?:'m| am) (?:programmed|designed|trained) to (?:avoid|not|be (?:a |an )?(?:safe|helpful"
    "|harmless|respectful)))"
)
_DECLINE = (
    "i(?:'ll|'m going to| will| am going to)? ?(?:must|have to|need to|will have to)? ?"
    "(?:respectfully |politely |kindly )?(?:decline|refuse|have to pass on|pass on)"
    f"(?: {_THIS} (?:[\\w-]+ )?(?:request|prompt|task|one)\\b| to (?:{_WORK}|{_HELP}|{_COMPLY})"
    r"| this\b|(?= ?[.;:!])|, (?:because|since|as) )|one i (?:have to|must|need to) (?:turn down|decline)\b"
)
_RULES = r"(?:[\w-]+ ){0,2}(?:guidelines|polic(?:y|ies)|programming|principles|rules|terms)"
_POLICY = (
    rf"(?:(?:it|that|this|{_THIS} (?:[\w-]+ )?{_REQUEST})(?:'s| is| goes| would(?: be| go)?)? "
    rf"?(?:violates?|against|conflicts? with|outside(?: of)?) "
    rf"(?:(?:my|our) {_RULES}|the (?:content|usage|safety) {_RULES})"
    rf"|(?:my|our) {_RULES} (?:prevents?|prohibits?|forbids?|(?:don't|do not|does not) (?:allow"
    r"|permit))(?: me)?\b)"
)
_NOT_FOR_ME = (
    r"(?:(?:this|that|it|is)(?:'s| is)?(?: not|n't)? (?:something|one|an? (?:topic|subject|request|task|area"
    r"|text|story)) (?:that |which )?i(?:'m| am| can| can't| cannot| won't| will not)*"
    r"(?: not)?(?: able| willing| allowed| comfortable| prepared| going)*(?: to| with)? ?"
    rf"(?:help(?: you)? with|work with|assist|writ|discuss|answer|creat|provid|generat|do)\w*\b(?! again)"
    r"|it (?:would|is|would not|wouldn't|isn't|is not)(?: be)?(?: not)? (?:in)?appropriate "
    rf"(?:for me to|to {_WORK})"
    rf"|(?:this|that|{_THIS} {_REQUEST}) (?:is|falls) (?:outside|beyond) (?:of )?what i\b"
    rf"|{_THIS} {_REQUEST} is (?:too|not) \w+ for me\b"
    r"|something (?:that )?i(?:'m| am)? (?:can't|cannot|won't|will not|not (?:able|willing|going) to)"
    r"(?: (?:do|write|help|support|create|provide))*(?: with)?(?= ?[.,;!?]))"
)
_SOURCE = (
    "(?:text|passage|document|article|content|story|essay|excerpt|paragraph|context|information"
    "|details|source|file)s?"
)
_TEXT = "(?:text|passage|article|document|excerpt|paragraph)s?"
_SEND = "(?:provide|share|paste|send|upload|supply|include|attach|give)"
_MISSING = (
    rf"(?:(?:please|kindly|could you(?: please)?|can you(?: please)?|i need you to) {_SEND} "
    rf"(?:me )?(?:with )?(?:the |your |a |some |any |more |it\b|full |original )*(?:{_SOURCE})?"
    rf"(?: (?:again|here|first|with me))?(?:[ ,][^.!?\n]*\b(?:you(?:'d| would)? (?:like|want|need)|for me\b"
    r"|i(?:'ll| will| can)\b|so that i)|(?= ?[.!?]? ?$)|\? i\b)"
    rf"|(?:please|(?:could|can) you(?: please)?) {_SEND} (?:[\w-]+ ){{0,4}}{_TEXT}\b"
    r"(?! (?:to|by|before|of|in)\b)"
    rf"|(?:happy|glad|love|certainly|of course|sure)\b[^.!?\n]*[.!,] (?:please|(?:could|can) you) "
    rf"{_SEND} (?:me )?(?:the|your) (?:{_SOURCE}|chapter|lesson|transcript|draft)\b"
    rf"|(?:it (?:looks|seems|appears)(?: like| that)?|there (?:doesn't|does not) seem).{{0,20}}? "
    rf"(?:you (?:haven't|have not|didn't|did not|forgot)|your message|(?:no|any) {_SOURCE} "
    rf"(?:attached|provided|in your)|the {_SOURCE} [^.!?\n]*(?:missing|empty|cut off))"
    rf"|you (?:haven't|have not|didn't|did not) (?:provided?|included?|attach(?:ed)?|shared?"
    rf"|pasted?|given?) (?:the|a|any|me)\b"
    rf"|i (?:don't|do not|can't|cannot) see (?:any|an?|the) {_SOURCE} (?:attached|to|in your|here)"
    rf"|(?:what|which) (?:{_TEXT}) (?:would you like|do you want|should i)\b"
    rf"|there (?:is|was) no {_SOURCE} (?:attached|provided|included|in your|for me)"
    rf"|i(?:'d| would|'ll| will)? need (?:to see )?(?:the|more) (?:original |full )?{_SOURCE}\b (?:first|before i|to)"
    rf"|(?:no {_SOURCE} (?:was|were|has been) (?:provided|given|included|attached)"
    rf"|the {_SOURCE} you (?:provided|sent|shared) (?:is|was|seems) empty)"
    r"|your (?:request|question|prompt) is (?:unclear|incomplete|empty)"
    r"|your (?:message|request|prompt) (?:does|did)(?: not|n't) (?:contain|include)"
    r"|i (?:didn't|did not|don't) understand (?:your|the) (?:request|question|prompt))"
)
_ABOUT = (
    rf"(?:the|your|this) (?:{_REQUEST}) (?:asks|is|contains)[^.!?\n]*"
    rf"\b(?:that|which|and|so) {_CANNOT}{_WRITE}\b"
)

START = re.compile(
    r"\s*(?:#[^\n]*\n\s*)?(?:[>*_#`\s]*)(?:(?:answer|response|rewritten \w+|rewrite|output)\W{0,3}:"
    r"[*_\s]*)?[\"']?",
    re.IGNORECASE,
)
"""What may stand before the first word: a heading, marks of Markdown, a label, a quotation mark."""

REFUSES = re.compile(
    r"(?:(?<![^\s(*_\"'])(?:"
    rf"{_CANNOT}(?:{_HELP}|{_COMPLY}|{_WORK}|{_REACH})"
    rf"|(?:sorry|nope?|unfortunately),? (?:but )?(?:can't|cannot|won't) (?:{_WORK}|{_HELP})"
    rf"|{_LACK}|{_IDENTITY}|{_DECLINE}|{_POLICY}|{_NOT_FOR_ME}|{_MISSING}|{_ABOUT}))",
    re.IGNORECASE,
)
"""A clause that turns a request down."""

SORRY = re.compile(r"(?:i(?:'m| am) (?:very |really |so )?)?sorry\b", re.IGNORECASE)
"""How many refusals begin."""

HINTS = (
    *(
        "n't",
        "not",
        "unable",
        "refus",
        "declin",
        " no ",
        "lack",
        "something i",
        "pass on",
        "turn down",
    ),
    *(
        "text",
        "passage",
        "article",
        "document",
        "excerpt",
        "paragraph",
        "provide",
        "share",
        "paste",
    ),
    *("send", "upload", "attach", "against", "violat", "outside", "beyond", "polic", "guideline"),
    *("rules", "principle", "program", "designed", "trained", "appropriate"),
)
"""In lower case; without any of them nothing is turned down, which is known at a tenth of the cost."""

SAYS = re.compile(
    r"[,!?.][\"']? (?!(?:as )?you\b)(?:(?:the|my|his|her|our|an?) )?(?:[\w-]+ ){0,3}?"
    r"(?:said|says|wrote|told|thought|muttered|whispered|shouted|replied|asked|cried|explained)\b"
    r"|\b(?:she|he) used to say\b"
    rf"|\bas an? (?!{_MACHINE}|responsible)[\w -]+, i\b",
    re.IGNORECASE,
)
"""Words that give a clause to somebody who tells it, or who has a trade."""

ATTEMPT = re.compile(
    rf"(?<![^\s(*_\"'])(?:{_CANNOT}"
    r"|i (?:don't|do not) (?=[a-z]+ (?:content|stories|texts|medical|legal|financial)\b))"
    r"(?P<verb>(?P<work>assist|generat|creat|produc|reproduc|provid|summari[sz]|translat|rewrit|writ"
    r"|compos|draft|depict|discuss|engage|participat|role-?play|simulat|fulfil|promot|condon|verify"
    r"|share)?\w[\w-]*)",
    re.IGNORECASE,
)
"""Something that the speaker does not do; `work` where it is what models are asked for."""
LEADS = re.compile(
    r"\b(?:sorry|apolog|unfortunately|regrett|afraid|appreciate|i understand|i hear|i know|while i"
    r"|although|thank|i'd (?:love|like)|as an? (?:\w+ )?(?:ai|language model))",
    re.IGNORECASE,
)
"""What politely comes before."""
EVIDENCE = tuple(
    (re.compile(text, re.IGNORECASE), weight)
    for weight, text in (
        # The request, or what the rules of models forbid.
        (
            2,
            r"\b(?:requests?|prompts?|contents?|copyright\w*|explicit|sexual\w*|violen\w+|violat\w+|harm\w*"
            r"|illegal\w*|abus\w+|hat(?:e|eful|red)|insult\w*|mislead\w*|forg(?:e|ing)|fake|false"
            r"|racis[mt]\w*|suicid\w*|self-harm|weapons?|bombs?|drugs?|substances?|explosives?|malware|hack\w*"
            r"|phishing|terroris\w+|poison|compound|medical|legal advice|financial advice|private"
            r"|personal (?:data|details|information)|political|real (?:people|person|\w+)|controlled"
            r"|another person|other people|someone else|unethical|offensive|demean\w+|discriminat\w+"
            r"|stereotyp\w+|misinformation|instructions|details (?:on|about)|how to|guidelines|propaganda|extremis\w+"
            r"|polic(?:y|ies)|you(?:'ve| have)? (?:asked|described|requested|mentioned|linked|gave|want)|role-? ?play"
            r"|(?:this|that) (?:conversation|kind|topic)|dose)\b",
        ),
        # Something that was named before.
        (
            1,
            r"^\S+(?: into| up| out)?(?: you)?(?: (?:with|in|about|on|to|of|for|into|at))?"
            r" (?:this|that(?! i\b)|such|these|those|any)\b|\b(?:this|that)(?= ?[.,;!?]|$)",
        ),
        (1, r"^help(?:ing)? (?:you \w+|draft|make|write)\b"),
        # A reason that lies in the request.
        (
            1,
            r"\b(?:because|as|since) (?:it|this|that|the (?:text|request|passage)) (?:is|was|contains?|would|could"
            r"|may|might|asks?|goes|involves?|promotes?|describes?|calls?|violates?)\b",
        ),
        # Something else instead.
        (
            1,
            r"\bi (?:can|could|would be|'d be|am happy to) ?(?:offer|write|work|suggest|tell|help|explain"
            r"|happy|glad|discuss|talk|provide|share)?\b",
        ),
        # What it would do.
        (1, r" that \w+s\b| (?:in detail|step by step)\b"),
    )
)
"""What shows, in the rest of the sentence, that it is about a request, and how much."""
LIVED = re.compile(
    r"\b(?:my(?! (?:instructions|guidelines|system))|our|his|her|their|we|he|she|me|without|than|as (?:quick|well|much|fast)\w*|any ?more|again)\b",
    re.IGNORECASE,
)
"""What shows that it is about somebody's life."""
