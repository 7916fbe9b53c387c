# Copyright (c) gld_mm authors. All rights reserved.
"""Functions from configs to configs."""
from .pair import distill
from .read import leaf_datasets, model_of, read_config, student_of

__all__ = ['distill', 'leaf_datasets', 'model_of', 'read_config', 'student_of']
