"""The tagger in torch, for training only: the same sums as `detectors.names.network` in numpy."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..detectors.names.features import LIST_FEATURE, NO_ROW, ROWS, WORD_FEATURE
from ..detectors.names.network import DILATIONS, DIMENSIONS, EPSILON, HIDDEN, LABELS
from ..detectors.names.tokens import CONTEXTS

DROPOUT = 0.2
WITHOUT_WORD, WITHOUT_LISTS = 0.30, 0.23


class Batch(NamedTuple):
    """`words[b, t]` is a row of `rows`, the features of each word of the batch; 0 in `mask` is behind a text's end."""

    rows: Tensor
    words: Tensor
    contexts: Tensor
    mask: Tensor
    tags: Tensor


class Tagger(nn.Module):
    """Scores of each label for each token."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(ROWS, DIMENSIONS, mode="sum", padding_idx=NO_ROW)
        self.contexts = nn.Embedding(CONTEXTS, DIMENSIONS)
        nn.init.normal_(self.table.weight, std=0.1)
        nn.init.normal_(self.contexts.weight, std=0.1)
        widths = (DIMENSIONS, *[HIDDEN] * len(DILATIONS))
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, HIDDEN, 3, dilation=dilation, padding=dilation)
            for width, dilation in zip(widths, DILATIONS, strict=False)
        )
        self.head = nn.Linear(HIDDEN, len(LABELS))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, batch: Batch) -> Tensor:
        vectors = self.table(_without_some(batch.rows) if self.training else batch.rows)
        hidden = vectors[batch.words] + self.contexts(batch.contexts)
        hidden = hidden / torch.sqrt(hidden.square().mean(-1, keepdim=True) + EPSILON)
        mask = batch.mask[:, None, :]
        hidden = self.drop(hidden).transpose(1, 2) * mask
        for step, convolution in enumerate(self.convolutions):
            out = torch.relu(convolution(hidden)) * mask
            hidden = self.drop(out + hidden if step else out)
        scores: Tensor = self.head(hidden.transpose(1, 2))
        return scores

    def arrays(self) -> list[npt.NDArray[np.float32]]:
        """What `detectors.names.network.network` reads, in its order."""
        found = []
        for convolution in self.convolutions:
            weights, bias = convolution.parameters()
            found += [_numpy(weights.permute(2, 1, 0)), _numpy(bias)]
        return [*found, _numpy(self.head.weight.T), _numpy(self.head.bias)]


def _without_some(rows: Tensor) -> Tensor:
    """A word must be known by its looks and neighbours too: its own row and the lists are left out now and then."""
    rows = rows.clone()
    for place, share in ((WORD_FEATURE, WITHOUT_WORD), (LIST_FEATURE, WITHOUT_LISTS)):
        rows[torch.rand(len(rows)) < share, place] = NO_ROW
    return rows


def _numpy(tensor: Tensor) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().numpy(), np.float32)
