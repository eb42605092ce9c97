"""Published models that can be installed by name, and the sentences that a conversion is compared on."""

from typing import NamedTuple


class Source(NamedTuple):
    """`sha256` is what the release's file name carries: the first 8 hex digits. `encoder` names the folder to bring."""

    file: str
    sha256: str
    encoder: str
    files: tuple[str, ...]


SOURCES = {
    "detoxify-original": Source(
        "toxic_original-c1212f89.ckpt", "c1212f89", "bert-base-uncased", ("vocab.txt", "tokenizer_config.json")
    ),
    "detoxify-unbiased": Source(
        "toxic_debiased-c7548aa0.ckpt", "c7548aa0", "roberta-base", ("vocab.json", "merges.txt")
    ),
    "detoxify-multilingual": Source(
        "multilingual_debiased-0b549669.ckpt", "0b549669", "xlm-roberta-base", ("tokenizer.json",)
    ),
    "detoxify-original-small": Source(
        "original-albert-0e1d6498.ckpt", "0e1d6498", "albert-base-v2", ("tokenizer.json",)
    ),
    "detoxify-unbiased-small": Source(
        "unbiased-albert-c8519128.ckpt", "c8519128", "albert-base-v2", ("tokenizer.json",)
    ),
}
"""The releases of unitaryai/detoxify. A folder needs config.json and, for a tokenizer, `files` or a tokenizer.json."""

PROBES = (
    "Thanks a lot, this was exactly the help I needed.",
    "You are a complete idiot and nobody wants you here.",
    "What a disgusting, worthless piece of garbage you are.",
    "I will find out where you live and make you pay for this.",
)
"""Scored again wherever the model is loaded: four short ones, from kind to threatening."""

SENTENCES = (
    *PROBES,
    "ok",
    "?!",
    "Shut up.",
    "Please summarise the attached report in three bullet points.",
    "The meeting has been moved to Thursday, 14:30, in the small room on the second floor.",
    "def parse(line: str) -> dict[str, int]: return {k: int(v) for k, v in (p.split('=') for p in line.split())}",
    "This film was so bad that I walked out after ten minutes.",
    "My grandmother is Muslim and she makes the best soup in the world.",
    "As a gay man I have never felt so welcome anywhere.",
    "Those people are animals and should be thrown out of the country.",
    "Women are too stupid to be trusted with anything that matters.",
    "Stop killing the process, the parent must not wait for its children to die.",
    "How do I kill all the workers that hang on port 8080?",
    "I hate you, I hate you, I hate you!!!",
    "Your code is rubbish and so are you.",
    "You're not as stupid as you look.",
    "The patient complains of severe pain in the breast and the groin.",
    "HE SAID HE WOULD BURN THE PLACE DOWN AND LAUGH ABOUT IT",
    "lol what a loser, go cry to your mommy",
    "Go back to where you came from, nobody asked for your filthy opinion.",
    "The quote reads: 'you are nothing but dirt', and the author condemns it.",
    "Nobody should ever be called a pig because of what they believe.",
    "If I see you again I swear I will break every bone in your body.",
    "The white paper describes black-box testing of the master and the slave node.",
    "He touched her without asking and bragged about it afterwards.",
    "I want to rip your clothes off, you dirty little thing.",
    "This is f***ing unbelievable, what the h3ll were you thinking?",
    "y0u @re s0 dumb it hurts",
    "\U0001f595\U0001f595 get lost \U0001f92e",
    "Du bist so dumm wie Brot und solltest dich sch\u00e4men.",
    "Merci beaucoup pour votre aide, c'\u00e9tait tr\u00e8s gentil.",
    "Eres una basura y todos te odian.",
    "\u0422\u044b \u043f\u043e\u043b\u043d\u044b\u0439 \u0438\u0434\u0438\u043e\u0442.",
    "Sen tam bir aptals\u0131n ve kimse seni sevmiyor.",
    "Obrigado pela ajuda, at\u00e9 amanh\u00e3!",
    "Sei un imbecille, vattene.",
    "The invoice of the third quarter is attached; please check the amounts in columns C to F. " * 20,
    "It was a quiet evening and the river lay still between the hills. " * 25 + "You worthless fool.",
)
"""Short and long, kind and vile, code, shouting, masked spelling, seven languages, and two of more than one window."""
