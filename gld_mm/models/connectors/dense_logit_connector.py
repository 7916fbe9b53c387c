# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Sequence, Tuple, Union

from mmrazor.models.architectures.connectors.base_connector import \
    BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from gld_mm.errors import UserError
from gld_mm.functional import global_local_logits
from gld_mm.numerics import fits, to_grid


@MODELS.register_module()
class DenseLogitConnector(BaseConnector):
    """Pool maps of class scores into global and local logits.

    The mean of the scores over the whole map is the global logit, the mean
    over a cell of the grid is a local logit. If the scores are an affine
    function of a feature (a 1x1 convolution), this equals the classifier
    applied to the pooled feature, which is GLD's definition.

    Each anchor of each level is a classifier of its own, so it has its own set
    of logits. A map with fewer rows or columns than the grid has a global
    logit only.

    Args:
        cls_out_channels (int): Scores per position and anchor, K, including
            the background class if there is one.
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
    """

    def __init__(self,
                 cls_out_channels: int,
                 grid: Union[int, Tuple[int, int]] = 2) -> None:
        super().__init__()
        self.cls_out_channels = cls_out_channels
        self.grid = to_grid(grid)

    def forward_train(self, scores: Sequence[Tensor]) -> List[Tensor]:
        """Pool all positions.

        Args:
            scores (Sequence[Tensor]): See :func:`split_anchors`.

        Returns:
            list[Tensor]: For each level and anchor ``(B, 1 + L, K)``, the
            global logit first, or ``(B, 1, K)``.
        """
        return [
            logits for level in split_anchors(scores, self.cls_out_channels)
            for logits in self._pool(level).unbind(1)
        ]

    def pool_weighted(
            self, scores: Sequence[Tensor],
            weights: Sequence[Tensor]) -> Tuple[List[Tensor], List[Tensor]]:
        """Pool weighted positions.

        A position weighs as much as the mean weight of its pixels, such as the
        share of them that is labelled.

        Args:
            scores (Sequence[Tensor]): See :func:`split_anchors`.
            weights (Sequence[Tensor]): For each level ``(B, A, H, W)`` of any
                size, or ``(B, 1, H, W)`` for all anchors.

        Returns:
            tuple[list[Tensor], list[Tensor]]: The logits as of
            :meth:`forward_train`, and for each set of them which have any
            weight, bool ``(B, 1 + L)``. The other logits are zero.
        """
        logits: List[Tensor] = []
        has_weight: List[Tensor] = []
        levels = split_anchors(scores, self.cls_out_channels)
        for level, weight in zip(levels, weights):
            weight = F.adaptive_avg_pool2d(weight.float(),
                                           (level.shape[-2], level.shape[-1]))
            weight = weight[:, :, None]  # of all classes
            total = self._pool(weight)
            mean = self._pool(weight * level) / total.masked_fill(
                total == 0, 1)
            logits += mean.unbind(1)
            weighs = (total[..., 0] > 0).expand(-1, level.shape[1], -1)
            has_weight += weighs.unbind(1)
        return logits, has_weight

    def _pool(self, level: Tensor) -> Tensor:
        """``(B, A, K, H, W)`` -> ``(B, A, 1 + L, K)``."""
        maps = level.flatten(0, 1)
        if fits(maps.shape[2:], self.grid):
            logits = global_local_logits(maps, nn.Identity(), self.grid)
        else:
            logits = maps.mean((2, 3))[:, None]
        return logits.unflatten(0, level.shape[:2])


def split_anchors(scores: Sequence[Tensor],
                  cls_out_channels: int) -> List[Tensor]:
    """Separate the anchors of dense scores from the classes.

    Args:
        scores (Sequence[Tensor]): For each level a map ``(B, A * K, H, W)``
            of A anchors with K scores each, the anchors outermost as in mmdet.
        cls_out_channels (int): K.

    Returns:
        list[Tensor]: For each level ``(B, A, K, H, W)``.

    Raises:
        UserError: If the channels of a map are not a multiple of K.
    """
    for level in scores:
        if level.shape[1] % cls_out_channels:
            raise UserError(
                f'{level.shape[1]} score channels are not a multiple of '
                f'cls_out_channels={cls_out_channels}; cls_out_channels '
                'includes the background class if there is one.')
    return [level.unflatten(1, (-1, cls_out_channels)) for level in scores]
