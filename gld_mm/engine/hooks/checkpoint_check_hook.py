# Copyright (c) gld_mm authors. All rights reserved.
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner

from gld_mm.engine.checkpoint import load_weights


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Refuse to resume from or to test a checkpoint of another network.

    mmengine loads what fits and logs the rest, which is what fine-tuning
    (``load_from`` of a training) needs and is left alone.
    """

    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Load every weight, or say which does not fit.

        mmengine loads the same afterwards.

        Raises:
            UserError: If a weight is missing, unknown or of another shape.
        """
        training = isinstance(runner._train_loop, BaseLoop)
        if runner._resume or not training:
            load_weights(runner.model, checkpoint.get('state_dict',
                                                      checkpoint),
                         f'The checkpoint "{runner._load_from}"')
