# Copyright (c) gld_mm authors. All rights reserved.
from .data_check_hook import DataCheckHook
from .epoch_seed_hook import EpochSeedHook
from .pretrained_check_hook import PretrainedCheckHook
from .teacher_val_hook import TeacherValHook

__all__ = [
    'DataCheckHook', 'EpochSeedHook', 'PretrainedCheckHook', 'TeacherValHook'
]
