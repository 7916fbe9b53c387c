# Copyright (c) gld_mm authors. All rights reserved.
from numbers import Number

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from mmrazor.registry import HOOKS

from gld_mm.engine.processes import teacher_of, unwrapped


@HOOKS.register_module()
class TeacherValHook(Hook):
    """Measure the teacher once on the validation set, before training.

    A student cannot be better taught than its teacher: a wrong checkpoint or
    preprocessing shows here, and not after the last epoch. A resumed run does
    not measure it again.

    Args:
        enable (bool): Whether to measure. Defaults to True.
    """

    def __init__(self, enable: bool = True) -> None:
        self.enable = enable

    @torch.no_grad()
    def before_train(self, runner: Runner) -> None:
        """Run the teacher on the validation data and log its metrics."""
        loop = runner.val_loop
        if not self.enable or loop is None or runner.iter > 0:
            return
        model, teacher = unwrapped(runner.model), teacher_of(runner.model)
        if teacher is None:
            return
        # The loader draws a seed; training goes on as without this hook.
        with torch.random.fork_rng(devices=[]), autocast(enabled=loop.fp16):
            for batch in loop.dataloader:
                data = model.data_preprocessor(batch, False)
                outputs = teacher(
                    model.as_teacher_sees(data['inputs']),
                    data['data_samples'],
                    mode='predict')
                loop.evaluator.process(data_samples=outputs, data_batch=batch)
        metrics = loop.evaluator.evaluate(len(loop.dataloader.dataset))
        metrics = {
            f'teacher/{name}': value
            for name, value in metrics.items() if isinstance(value, Number)
        }
        runner.logger.info('Before training, on the validation set: ' +
                           '  '.join(f'{k}: {v:.4f}'
                                     for k, v in metrics.items()))
        runner.visualizer.add_scalars(metrics, step=0)
