# Copyright (c) gld_mm authors. All rights reserved.
from .config import default_work_dir, student_of

__all__ = ['default_work_dir', 'student_of']
