# Copyright (c) gld_mm authors. All rights reserved.
from .binary_kl_loss import BinaryKLLoss
from .normalized_kl_loss import NormalizedKLLoss
from .relation_loss import RelationLoss

__all__ = ['BinaryKLLoss', 'NormalizedKLLoss', 'RelationLoss']
