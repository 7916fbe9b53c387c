# Copyright (c) gld_mm authors. All rights reserved.
import numpy as np
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner, set_random_seed


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Draw the random numbers of an epoch from the run's seed and the epoch.

    mmengine keeps no random state in its checkpoints, so a resumed run would
    draw the numbers of its first epoch again, and, where the config has no
    seed, shuffle by another. With this hook a run of epochs draws those that
    the uninterrupted run would have drawn. Iteration-based training is seeded
    once, at its start, and again when it is resumed. Ranks differ. Workers of
    a dataloader draw their own.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Shuffle by the seed of the run that is resumed.

        The dataloader is built before the checkpoint says what it is.
        """
        batches = runner.train_dataloader.batch_sampler
        if hasattr(getattr(batches, 'sampler', None), 'seed'):
            batches.sampler.seed = runner.seed

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed python, NumPy and torch."""
        entropy = (runner.seed, runner.epoch, get_rank())
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        set_random_seed(seed)
