# Copyright (c) gld_mm authors. All rights reserved.
from .gld_distill import GLDDistill

__all__ = ['GLDDistill']
