# Copyright (c) gld_mm authors. All rights reserved.
from typing import Dict, Iterable, Iterator, List, Tuple

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner
from torch import nn

from gld_mm.config.read import type_name
from gld_mm.engine.checkpoint import LoadReport, check_exists, describe_shapes
from gld_mm.engine.processes import unwrapped
from gld_mm.errors import UserError


@HOOKS.register_module()
class PretrainedCheckHook(Hook):
    """Refuse to train from a pretrained checkpoint of another network.

    ``init_cfg=dict(type='Pretrained', ...)`` of mmengine loads what fits and
    logs the rest, so a checkpoint of another network or a wrong ``prefix``
    leaves weights random. Here most weights of a module that names a
    checkpoint have to be in the file. A smaller part may be missing or of
    another shape, with a warning: a backbone may have layers that are not
    pretrained, such as those of a plugin or for a fourth channel. What counts
    is what the module itself loads, after it has converted or resized the
    file's weights.
    """

    priority = 'ABOVE_NORMAL'  # before the teacher runs on the data

    def __init__(self) -> None:
        self._reports: List[Tuple[str, Dict[str, int], LoadReport]] = []

    def before_run(self, runner: Runner) -> None:
        """Look for the files, and watch the modules while they load them.

        Raises:
            UserError: If there is no such file.
        """
        if not isinstance(runner._train_loop, BaseLoop):  # a test
            return
        model = unwrapped(runner.model)
        named = list(model.named_modules())
        if getattr(model, 'init_teacher', False):  # which is no submodule
            named += model.teacher.named_modules(prefix='teacher')
        for name, module, checkpoint in _pretrained(named):
            name = f'{name or "the model"}: pretrained checkpoint'
            check_exists(checkpoint, name)
            sizes = {k: v.numel() for k, v in module.named_parameters()}
            self._reports.append(
                (f'{name} "{checkpoint}"', sizes, LoadReport(module)))

    def before_train(self, runner: Runner) -> None:
        """Judge what the modules have loaded.

        Raises:
            UserError: If most weights are missing or of another shape.
        """
        for name, sizes, report in self._reports:
            report.close()
            misfits = [key for key, *_ in report.misfits]
            missing = [
                key for key in (*report.missing, *misfits) if key in sizes
            ]
            most = 2 * sum(sizes[key] for key in missing) > sum(sizes.values())
            if report.errors and (most or not misfits):
                raise UserError(
                    f'{name} {describe_shapes(report, "the model")}')
            if most:
                raise UserError(
                    f'{name} lacks {len(missing)} of {len(sizes)} weights, '
                    f'"{missing[0]}" the first: it is of another network, or '
                    'the prefix is wrong.')
            if missing:
                runner.logger.warning(
                    f'{name} lacks {len(missing)} of {len(sizes)} weights or '
                    f'has them in another shape, "{missing[0]}" the first: '
                    'they start at random.')
        self._reports.clear()


def _pretrained(
    named_modules: Iterable[Tuple[str, nn.Module]]
) -> Iterator[Tuple[str, nn.Module, str]]:
    for name, module in named_modules:
        init_cfg = getattr(module, 'init_cfg', None) or []
        for cfg in init_cfg if isinstance(init_cfg, list) else [init_cfg]:
            if type_name(cfg) in ('Pretrained', 'PretrainedInit'):
                yield name, module, cfg['checkpoint']
