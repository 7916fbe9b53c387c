# Copyright (c) gld_mm authors. All rights reserved.
from .checkpoint import newest_checkpoint
from .config import default_work_dir, student_of

__all__ = ['default_work_dir', 'newest_checkpoint', 'student_of']
