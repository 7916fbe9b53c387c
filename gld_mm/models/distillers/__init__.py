# Copyright (c) gld_mm authors. All rights reserved.
from .gld_distiller import GLDDistiller

__all__ = ['GLDDistiller']
