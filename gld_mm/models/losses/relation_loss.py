# Copyright (c) gld_mm authors. All rights reserved.
import torch
from mmengine.dist import get_world_size
from mmrazor.registry import MODELS
from torch import Tensor, nn

from gld_mm.functional import relation

from .gather_rows import gather_rows


@MODELS.register_module()
class RelationLoss(nn.Module):
    """Difference of the normalised distances among all logits of a batch.

    See :func:`gld_mm.functional.relation`; GLD's densely connected relations.

    Args:
        loss_weight (float): Weight of the loss. Defaults to 1.0.
        gather (bool): Under data parallelism, whether to relate the logits of
            all processes, so that N processes of B images learn what one of N
            x B does, or only those of each. Defaults to True.
    """

    def __init__(self, loss_weight: float = 1.0, gather: bool = True) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.gather = gather

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Forward computation.

        Args:
            preds_S (Tensor): Student logits ``(M, K)``, or ``(..., K)`` whose
                leading dimensions are all rows.
            preds_T (Tensor): Teacher logits of the same shape.

        Returns:
            Tensor: Scalar.
        """
        student, teacher = preds_S.flatten(0, -2), preds_T.flatten(0, -2)
        if self.gather and get_world_size() > 1:
            # Both in one message.
            both = gather_rows(torch.cat([student, teacher.detach()], 1))
            student, teacher = both.split([student.shape[1], teacher.shape[1]],
                                          1)
        return self.loss_weight * relation(student, teacher)
