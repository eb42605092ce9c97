"""Train the baseline: `python -m spanward.guards.training.baseline --data ../shared/data --out guards/weights`.

The same data, versions and machine give the same bytes. scikit-learn is needed here and nowhere else.
"""

import argparse
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression, SGDClassifier

from ..detectors.baseline import SHAPE, Baseline, Doubles, Head
from ..detectors.ngrams import WIDTH, features
from ..detectors.windows import windows
from .corpora import Example, pick, read

LABELS = ("toxicity", "identity_attack")
WINDOW, OVERLAP = 100, 30
"""Characters. An insult in the middle of a long polite text is lost in larger windows; smaller ones cry wolf."""
CHOSEN_TO_FOOL = frozenset({"hatemoji", "toxic_spans"})
"""Their harmless texts were picked because a model took them for toxic, so they say nothing about ordinary traffic."""
FALSE_ALARMS = 0.01
EMPHASIS = {("named_groups", 0): 4.0, ("named_groups", 1): 2.0}
"""More makes naming a group safer still, and takes so much from the identity_attack head that it is of no use."""
LONGEST, MOST_PIECES = 3000, 6
"""Of a text: characters that train, and windows of a harmless one."""

Labels = npt.NDArray[np.int8]


def train(examples: Sequence[Example]) -> Baseline:
    """A model with probabilities and thresholds; the texts to measure with are never looked at."""
    kept = pick(examples, "calibrate")
    used = [piece for example in pick(examples, "train") for piece in _pieces(example)]
    vectors = _matrix([example.text for example in used])
    planes = [_plane(vectors, used, label) for label in LABELS]
    # what is served is what is calibrated: weights as stored, texts in windows
    weights = np.stack([plane for plane, _ in planes], axis=1).astype(np.float16).astype(np.float32)
    bare = tuple(Head(label, intercept, 1, 0, 0) for label, (_, intercept) in zip(LABELS, planes, strict=True))
    model = Baseline(weights, bare, WINDOW, OVERLAP, "untested")
    heads = tuple(_calibrated(head, _served_margins(model, kept, head.label), kept) for head in bare)
    return model._replace(heads=heads)


def save(model: Baseline, examples: Sequence[Example], out: Path) -> None:
    """Write `baseline.npy` (half precision, a row for each head) and `baseline.json` into `out`."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(model.weights.T.astype(np.float16)), allow_pickle=False)
    sources = Counter(example.source for example in examples)
    card = SHAPE | {
        "window": model.window,
        "overlap": model.overlap,
        "heads": [head._asdict() for head in model.heads],
        "false_alarms": FALSE_ALARMS,
        "texts": dict(sorted(sources.items())),
        "sha256": sha256(buffer.getvalue()).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "baseline.npy").write_bytes(buffer.getvalue())
    (out / "baseline.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")


def known(examples: Sequence[Example], label: str) -> Labels:
    """1, 0, and -1 where nobody said."""
    return np.array([-1 if (value := getattr(example, label)) is None else value for example in examples], np.int8)


def cell_weights(examples: Sequence[Example], labels: Labels) -> Doubles:
    """1/sqrt(size) of each text's data set and label, so that no set speaks for all; ours count more."""
    cells = [(example.source, int(label)) for example, label in zip(examples, labels, strict=True)]
    sizes = Counter(cells)
    weights = np.array([sizes[cell] ** -0.5 * EMPHASIS.get(cell, 1) for cell in cells])
    return np.asarray(weights / weights.mean())


def _pieces(example: Example) -> Iterator[Example]:
    """A harmless text is harmless in each window, as it is served; where a toxic one is toxic is not known."""
    text = example.text[:LONGEST]
    spans = windows(text, WINDOW, OVERLAP)[:MOST_PIECES] if example.toxicity == 0 else [(0, len(text))]
    return (example._replace(text=text[start:end]) for start, end in spans)


def _matrix(texts: Sequence[str]) -> csr_matrix:
    rows, indices, values = features(texts)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(rows, minlength=len(texts)))))
    return csr_matrix((values, indices.astype(np.int32), starts.astype(np.int32)), shape=(len(texts), WIDTH))


def _plane(vectors: csr_matrix, examples: Sequence[Example], label: str) -> tuple[Doubles, float]:
    labels = known(examples, label)
    told = np.flatnonzero(labels >= 0)
    weights = cell_weights([examples[int(place)] for place in told], labels[told])
    weighed, ratios = _weighed(vectors[told], labels[told])
    learner = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=12, tol=None, average=True, random_state=0)
    learner.fit(weighed, labels[told], sample_weight=weights)
    return learner.coef_[0] * ratios, round(float(learner.intercept_[0]), 6)


def _weighed(vectors: csr_matrix, labels: Labels) -> tuple[csr_matrix, Doubles]:
    """Each n-gram times how unevenly it is spread over the two classes (Wang and Manning 2012), and that factor."""
    seen = [1 + np.asarray((vectors[labels == label] > 0).sum(axis=0)).ravel() for label in (0, 1)]
    ratios = np.abs(np.log((seen[1] / seen[1].sum()) / (seen[0] / seen[0].sum())))
    ratios = ratios / np.sqrt(np.mean(ratios[seen[0] + seen[1] > 2] ** 2))
    return csr_matrix(vectors.multiply(ratios[None, :])), ratios


def _served_margins(model: Baseline, examples: Sequence[Example], label: str) -> Doubles:
    scores = np.array([model.worst(example.text)[label].score for example in examples])
    scores = scores.clip(1e-9, 1 - 1e-9)  # a text without a visible character scores 0
    return np.asarray(np.log(scores / (1 - scores)))


def _calibrated(head: Head, margins: Doubles, examples: Sequence[Example]) -> Head:
    labels = known(examples, head.label)
    told = labels >= 0
    line = LogisticRegression(C=1e6).fit(margins[told, None], labels[told])
    slope, offset = round(float(line.coef_[0, 0]), 6), round(float(line.intercept_[0]), 6)
    ordinary = (labels == 0) & ~np.isin([example.source for example in examples], list(CHOSEN_TO_FOOL))
    weights = cell_weights([e for e, wanted in zip(examples, ordinary, strict=True) if wanted], labels[ordinary])
    margin = _quantile(margins[ordinary], weights, 1 - FALSE_ALARMS)
    return head._replace(
        slope=slope, offset=offset, threshold=round(float(1 / (1 + np.exp(-slope * margin - offset))), 3)
    )


def _quantile(values: Doubles, weights: Doubles, share: float) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, share)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder for baseline.npy and baseline.json")
    arguments = parser.parse_args()
    examples = read(arguments.data)
    save(train(examples), examples, arguments.out)


if __name__ == "__main__":
    main()
