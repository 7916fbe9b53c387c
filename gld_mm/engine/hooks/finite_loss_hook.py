# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from gld_mm.engine.processes import unwrapped
from gld_mm.errors import UserError


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop a run at the first loss that is infinite or not a number.

    It costs nothing: mmengine reads the losses of each step for the log.
    """

    priority = 'VERY_HIGH'  # before anything is logged or saved

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Look at the losses of a step.

        Raises:
            UserError: If one is not finite; it names the step, the term and
                the range of the logits.
        """
        losses = {
            name: torch.as_tensor(value)
            for name, value in (outputs or {}).items() if 'loss' in name
        }
        # The sum is finite only if all are.
        if 'loss' in losses and losses['loss'].isfinite():
            return
        culprits = ', '.join(f'{name} is {value.item()}'
                             for name, value in losses.items()
                             if not value.isfinite())
        if not culprits:
            return
        raise UserError(
            f'Step {runner.iter + 1}, epoch {runner.epoch + 1}: {culprits}. '
            f'{_describe_logits(runner)}Nothing after it is saved; lower the '
            'learning rate, clip gradients (optim_wrapper.clip_grad) or train '
            'without --amp, and --resume.')


def _describe_logits(runner: Runner) -> str:
    """A sentence about what a distillation compared, if it did."""
    model = unwrapped(runner.model)
    describe = getattr(
        getattr(model, 'distiller', None), 'describe_logits', None)
    if describe is None or model.distillation_stopped:
        return ''
    text = describe()
    return f'{text}. ' if text else ''
