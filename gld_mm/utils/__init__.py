# Copyright (c) gld_mm authors. All rights reserved.
from .checkpoint import newest_checkpoint
from .config import (check_optimizer, default_work_dir, keep_workers,
                     read_config, student_of)
from .one_line_errors import one_line_errors
from .processes import end_processes, launch_on_cpu
from .scalars import read_scalars
from .user_error import UserError

__all__ = [
    'UserError', 'check_optimizer', 'default_work_dir', 'end_processes',
    'keep_workers', 'launch_on_cpu', 'newest_checkpoint', 'one_line_errors',
    'read_config', 'read_scalars', 'student_of'
]
