# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Optional, Sequence, Tuple, Union

from mmengine.utils import to_2tuple
from mmrazor.models.architectures.connectors.base_connector import \
    BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from gld_mm.functional import global_local_logits


@MODELS.register_module()
class DenseLogitConnector(BaseConnector):
    """Maps of class scores -> global and local logits.

    The mean of the scores over the whole map is its global logit, the mean
    over a cell of the grid a local one. Where scores are an affine function of
    a feature (a 1x1 convolution) that is the classifier applied to the pooled
    feature, GLD's own definition.

    Each anchor of each level is a classifier of its own, and has its own set
    of logits: priors of different anchors and levels differ, and classes are
    never mixed with anchors. A map with fewer rows or columns than the grid
    has its global logit only.

    Where only some pixels are labelled, a position weighs as much as the share
    of them that it covers, and a cell without any is a row of zeros.

    Args:
        cls_out_channels (int): Scores of a position and anchor, K, the
            background included where it has one.
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self,
                 cls_out_channels: int,
                 grid: Union[int, Tuple[int, int]] = 2,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.cls_out_channels = cls_out_channels
        self.grid = to_2tuple(grid)
        if min(self.grid) < 1:
            raise ValueError(f'grid should be at least 1, got {grid}.')

    def forward(self,
                scores: Sequence[Tensor],
                labelled: Optional[Tensor] = None) -> List[Tensor]:
        """Pool the maps.

        Args:
            scores (Sequence[Tensor]): See :func:`levels_of`.
            labelled (Tensor, optional): Which pixels count, of all levels,
                bool ``(B, 1, H, W)`` of any size. Defaults to None, all.

        Returns:
            list[Tensor]: Of each level and anchor ``(B, 1 + L, K)``, the
            global logit first, or ``(B, 1, K)``.
        """
        return self.forward_train(scores, labelled)

    def forward_train(self,
                      scores: Sequence[Tensor],
                      labelled: Optional[Tensor] = None) -> List[Tensor]:
        """Training computation, see :meth:`forward`."""
        return [
            logits for level in levels_of(scores, self.cls_out_channels)
            for logits in self._pool_level(level, labelled)
        ]

    def _pool_level(self, anchors: Tensor,
                    labelled: Optional[Tensor]) -> Tuple[Tensor, ...]:
        maps = anchors.flatten(0, 1)
        if labelled is None:
            logits = self._pool(maps)
        else:
            height, width = maps.shape[2:]
            share = F.adaptive_avg_pool2d(labelled.float(), (height, width))
            share = share.repeat_interleave(anchors.shape[1], 0)
            total = self._pool(share)
            logits = self._pool(share * maps) / total.masked_fill(
                total == 0, 1)
        return logits.unflatten(0, anchors.shape[:2]).unbind(1)

    def _pool(self, maps: Tensor) -> Tensor:
        if all(a >= b for a, b in zip(maps.shape[2:], self.grid)):
            return global_local_logits(maps, nn.Identity(), self.grid)
        return maps.mean((2, 3))[:, None]


def levels_of(scores: Sequence[Tensor], cls_out_channels: int) -> List[Tensor]:
    """Tell the anchors of dense scores from their classes.

    Args:
        scores (Sequence[Tensor]): Of each level a map ``(B, A * K, H, W)`` of
            A anchors with K scores each, the anchors outermost as mmdet has
            them.
        cls_out_channels (int): K.

    Returns:
        list[Tensor]: Of each level ``(B, A, K, H, W)``.

    Raises:
        ValueError: If a map is not of K scores an anchor.
    """
    for level in scores:
        if level.shape[1] % cls_out_channels:
            raise ValueError(
                f'A map of {level.shape[1]} scores is not one of '
                f'{cls_out_channels} an anchor: cls_out_channels of the '
                'distiller counts the background too, where there is one.')
    return [level.unflatten(1, (-1, cls_out_channels)) for level in scores]
