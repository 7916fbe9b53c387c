# Copyright (c) gld_mm authors. All rights reserved.
from typing import Sequence, Union

import torch
from mmrazor.registry import MODELS
from torch import Tensor, nn

from gld_mm.functional import relation

from .gather_rows import gather_rows


@MODELS.register_module()
class RelationLoss(nn.Module):
    """GLD's densely connected relations among all logits of a batch.

    See :func:`gld_mm.functional.relation`.

    Args:
        loss_weight (float): Weight of the loss. Defaults to 1.0.
        gather (bool): Under data parallelism, whether to relate the logits of
            all processes, so that N processes with B images each learn the
            same as one process with N x B. Otherwise each process relates its
            own. Defaults to True.
    """

    def __init__(self, loss_weight: float = 1.0, gather: bool = True) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.gather = gather

    def forward(self, preds_S: Union[Tensor, Sequence[Tensor]],
                preds_T: Union[Tensor, Sequence[Tensor]]) -> Tensor:
        """Forward computation.

        Args:
            preds_S (Tensor | Sequence[Tensor]): Student logits ``(M, K)``, or
                ``(..., K)`` whose leading dimensions are all rows. Of several
                sets of logits, each is related within itself.
            preds_T (Tensor | Sequence[Tensor]): The same of the teacher.

        Returns:
            Tensor: Scalar, the mean over the sets.
        """
        student, teacher = ([
            rows.flatten(0, -2)
            for rows in ([preds] if isinstance(preds, Tensor) else preds)
        ] for preds in (preds_S, preds_T))
        if self.gather:
            rows = gather_rows(student + [t.detach() for t in teacher])
            student, teacher = rows[:len(student)], rows[len(student):]
        losses = [relation(s, t) for s, t in zip(student, teacher)]
        return self.loss_weight * torch.stack(losses).mean()
