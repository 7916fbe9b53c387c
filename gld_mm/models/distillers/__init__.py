# Copyright (c) gld_mm authors. All rights reserved.
from .base_gld_distiller import BaseGLDDistiller
from .dense_gld_distiller import DenseGLDDistiller
from .gld_distiller import GLDDistiller
from .sigmoid_dense_gld_distiller import SigmoidDenseGLDDistiller

__all__ = [
    'BaseGLDDistiller', 'DenseGLDDistiller', 'GLDDistiller',
    'SigmoidDenseGLDDistiller'
]
