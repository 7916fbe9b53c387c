# Copyright (c) gld_mm authors. All rights reserved.
from mmrazor.registry import MODELS

from gld_mm.functional import binary_kl

from .normalized_kl_loss import NormalizedKLLoss


@MODELS.register_module()
class BinaryKLLoss(NormalizedKLLoss):
    """KL divergence of each class's own yes or no, for heads with sigmoids.

    See :func:`gld_mm.functional.binary_kl`.

    Args:
        loss_weight (float): Weight of the loss. Defaults to 1.0.
    """

    divergence = staticmethod(binary_kl)
