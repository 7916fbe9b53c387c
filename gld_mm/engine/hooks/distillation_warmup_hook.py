# Copyright (c) gld_mm authors. All rights reserved.
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from gld_mm.engine.processes import unwrapped


@HOOKS.register_module()
class DistillationWarmupHook(Hook):
    """Raise the weight of what the teacher teaches from 0 to 1, linearly.

    The paper does not. Zhao et al., `Decoupled Knowledge Distillation
    <https://arxiv.org/abs/2203.08679>`_, CVPR 2022, warm up for 20 of 240
    epochs.

    Args:
        part (float): Part of the training over which the weight rises, in
            (0, 1]. Defaults to 0.1.
    """

    def __init__(self, part: float = 0.1) -> None:
        if not 0 < part <= 1:
            raise ValueError(f'part should be in (0, 1], got {part}.')
        self.part = part

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: DATA_BATCH = None) -> None:
        """Set the weight, also of a run that is resumed."""
        progress = runner.iter / (self.part * runner.max_iters)
        unwrapped(runner.model).distillation_weight = min(1., progress)
