# Copyright (c) gld_mm authors. All rights reserved.
from mmrazor.registry import MODELS
from torch import Tensor, nn

from gld_mm.functional import normalized_kl


@MODELS.register_module()
class NormalizedKLLoss(nn.Module):
    """KL divergence of normalised logits: GLD's global and local terms.

    See :func:`gld_mm.functional.normalized_kl`.

    Args:
        loss_weight (float): Weight of the loss. Defaults to 1.0.
    """

    divergence = staticmethod(normalized_kl)

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Forward computation.

        Args:
            preds_S (Tensor): Student logits ``(N, K)``, or ``(..., K)`` whose
                leading dimensions are all rows.
            preds_T (Tensor): Teacher logits of the same shape.

        Returns:
            Tensor: Scalar.
        """
        return self.loss_weight * self.divergence(
            preds_S.flatten(0, -2), preds_T.flatten(0, -2))
