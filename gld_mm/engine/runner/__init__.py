# Copyright (c) gld_mm authors. All rights reserved.
from .checked_runner import CheckedRunner

__all__ = ['CheckedRunner']
