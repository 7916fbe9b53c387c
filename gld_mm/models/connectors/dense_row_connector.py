# Copyright (c) gld_mm authors. All rights reserved.
from typing import Sequence

import torch
from mmrazor.models.architectures.connectors.base_connector import \
    BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor

from .dense_logit_connector import split_anchors


@MODELS.register_module()
class DenseRowConnector(BaseConnector):
    """Turn maps of class scores into a row of logits per position and anchor.

    For a plain KD loss between two dense heads, such as mmrazor's
    ``KLDivergence``. Both networks need maps of the same size.

    Args:
        cls_out_channels (int): Scores of a position and anchor, K, the
            background included where it has one.
    """

    def __init__(self, cls_out_channels: int) -> None:
        super().__init__()
        self.cls_out_channels = cls_out_channels

    def forward_train(self, scores: Sequence[Tensor]) -> Tensor:
        """Put the classes last.

        Args:
            scores (Sequence[Tensor]): See :func:`split_anchors`.

        Returns:
            Tensor: ``(N, K)``, N the sum of B * A * H * W over the levels.
        """
        return torch.cat([
            level.movedim(2, -1).flatten(0, -2)
            for level in split_anchors(scores, self.cls_out_channels)
        ])
