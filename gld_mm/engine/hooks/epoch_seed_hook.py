# Copyright (c) gld_mm authors. All rights reserved.
import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Draw the random numbers of an epoch from the run's seed and the epoch.

    mmengine keeps no random state in its checkpoints, so a resumed run would
    draw the numbers of its first epoch again. With this hook it draws those
    that the uninterrupted run would have drawn. Ranks differ. Workers of a
    dataloader draw their own.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner) -> None:
        """Seed python, NumPy and torch.

        Args:
            runner (Runner): The runner of the training process.
        """
        entropy = (runner.seed, runner.epoch, get_rank())
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
