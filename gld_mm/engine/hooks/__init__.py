# Copyright (c) gld_mm authors. All rights reserved.
from .channels_last_hook import ChannelsLastHook
from .checkpoint_check_hook import CheckpointCheckHook
from .data_check_hook import DataCheckHook
from .epoch_seed_hook import EpochSeedHook
from .finite_loss_hook import FiniteLossHook
from .pretrained_check_hook import PretrainedCheckHook
from .teacher_val_hook import TeacherValHook

__all__ = [
    'ChannelsLastHook', 'CheckpointCheckHook', 'DataCheckHook',
    'EpochSeedHook', 'FiniteLossHook', 'PretrainedCheckHook', 'TeacherValHook'
]
