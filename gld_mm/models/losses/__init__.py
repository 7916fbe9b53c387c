# Copyright (c) gld_mm authors. All rights reserved.
from .normalized_kl_loss import NormalizedKLLoss
from .relation_loss import RelationLoss

__all__ = ['NormalizedKLLoss', 'RelationLoss']
