"""Detoxify's checkpoint format, with tiny models of every architecture, made where a test needs them."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

ORIGINAL = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
UNBIASED = ["toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit"]
PLAIN = "the report on the second page says that the table is wide and the chair is red ."
WORDS = [*sorted(set(PLAIN.split())), "awful", "you", "are"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
Files = tuple[Path, Path]


class Maker(NamedTuple):
    """`spread` of the random weights: the wider, the more scores differ, and the more 8 bits lose."""

    kind: str
    classes: list[str]
    outputs: int
    spread: float


MAKERS = {
    "original": Maker("Bert", ORIGINAL, 6, 0.5),
    "unbiased": Maker("Roberta", UNBIASED, 16, 0.5),
    "multilingual": Maker("XLMRoberta", UNBIASED, 16, 0.2),
    "original-small": Maker("Albert", ORIGINAL, 6, 0.2),
}


def encoder_folder(kind: str, folder: Path) -> int:
    """The files that people copy from the encoder's page; returns the size of the vocabulary."""
    folder.mkdir()
    return {"Bert": words_of_bert, "Roberta": words_of_roberta}.get(kind, pieces_of_the_others)(kind, folder)


def words_of_bert(_kind: str, folder: Path) -> int:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *LETTERS, *(f"##{c}" for c in LETTERS)]
    words = list(dict.fromkeys(words))
    (folder / "vocab.txt").write_text("\n".join(words))
    return len(words)


def words_of_roberta(_kind: str, folder: Path) -> int:
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    alphabet = bytes_to_unicode()  # type: ignore[no-untyped-call]  # transformers types some of its functions
    words = ["<s>", "<pad>", "</s>", "<unk>", *alphabet.values(), "Ġt", "he", "Ġthe", "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\nĠ t\nh e\nĠt he\n")
    return len(words)


def pieces_of_the_others(kind: str, folder: Path) -> int:
    """A tokenizer.json of sentence pieces, whose specials stand where the architecture expects them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    albert = kind == "Albert"
    specials = ["<pad>", "<unk>", "[CLS]", "[SEP]"] if albert else ["<s>", "<pad>", "</s>", "<unk>"]
    first, last = ("[CLS]", "[SEP]") if albert else ("<s>", "</s>")
    words = [*specials, *(f"▁{word}" for word in WORDS), "▁", *LETTERS, "[MASK]" if albert else "<mask>"]
    words = list(dict.fromkeys(words))
    scored = [(word, -float(place)) for place, word in enumerate(words)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=words.index("<unk>")))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, words.index(first)), (last, words.index(last))]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(words)


def tiny(variant: str, folder: Path) -> Files:
    """A checkpoint of 2 layers and its encoder's folder. The original calls texts with the word `awful` toxic."""
    import torch
    import transformers

    torch.manual_seed(0)
    kind, classes, outputs, spread = MAKERS[variant]
    architecture = getattr(transformers, f"{kind}ForSequenceClassification")
    encoder = folder / f"{variant}-encoder"
    config = architecture.config_class(
        vocab_size=encoder_folder(kind, encoder),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=514,
        type_vocab_size=2 if kind in {"Bert", "Albert"} else 1,
        initializer_range=spread,
        **({"embedding_size": 16} if kind == "Albert" else {}),
    )
    config.save_pretrained(encoder)
    model = architecture(architecture.config_class.from_pretrained(encoder, num_labels=outputs))
    if kind == "Bert":
        know_one_word(model, transformers.AutoTokenizer.from_pretrained(encoder), "awful")
    arguments = {
        "num_classes": outputs,
        "model_type": str(encoder),  # where the package itself looks; published files name the encoder here
        "model_name": f"{kind}ForSequenceClassification",
        "tokenizer_name": f"{kind}Tokenizer",
    }
    saved = {
        "state_dict": model.state_dict() | {f"{kind.lower()}.embeddings.position_ids": torch.arange(514)[None]},
        "config": {"arch": {"type": kind, "args": arguments}, "dataset": {"args": {"classes": classes}}},
        "epoch": 1,
    }
    path = folder / f"{variant}.ckpt"
    torch.save(saved, path)
    return path.rename(folder / f"{variant}-{sha256(path.read_bytes()).hexdigest()[:8]}.ckpt"), encoder


def know_one_word(model: Any, tokenizer: Any, word: str) -> None:
    """Weights under which the scores say whether `word` is anywhere in the window, however long that is.

    Its embedding alone has a component 0; the first layer's attention looks everywhere alike and carries it, enlarged,
    to the first token; pooler and classifier read it there.
    """
    import torch

    known = tokenizer.convert_tokens_to_ids(word)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            weights.fill_(1.0 if name.endswith("LayerNorm.weight") else 0.0)
        words = model.bert.embeddings.word_embeddings.weight
        for token in range(len(words)):
            words[token, 1 + token % 15], words[token, 16 + token % 15] = 1.0, -1.0
        words[known] = torch.eye(1, words.shape[1])[0]
        attention = model.bert.encoder.layer[0].attention
        attention.self.value.weight[0, 0] = 1000.0
        attention.output.dense.weight[0, 0] = 1.0
        model.bert.pooler.dense.weight[0, 0] = 1.0
        model.classifier.weight[:, 0] = torch.arange(len(model.classifier.weight)) + 6.0
        model.classifier.bias.fill_(-3.0)
