# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path
from typing import Iterable, Iterator, Optional, Tuple

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import CheckpointLoader, Runner
from torch import nn

from ...utils.checkpoint import is_missing
from ...utils.user_error import UserError


@HOOKS.register_module()
class PretrainedCheckHook(Hook):
    """Refuse to train from a pretrained checkpoint that does not fit.

    ``init_cfg=dict(type='Pretrained', ...)`` of mmengine loads what fits and
    logs the rest, so a checkpoint of another network or a wrong ``prefix``
    leaves weights random. Here each weight of a module that names a checkpoint
    has to be in it, in the same shape.
    """

    def before_run(self, runner: Runner) -> None:
        """Compare, before weights are initialized.

        Args:
            runner (Runner): The runner of the process.

        Raises:
            UserError: If there is no such file, or a weight is missing or of
                another shape.
        """
        if runner._train_loop is None:
            return
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        named = list(model.named_modules())
        if getattr(model, 'init_teacher', False):  # which is no submodule
            named += model.teacher.named_modules(prefix='teacher')
        for name, module, init_cfg in _pretrained(named):
            check_pretrained(module, name, init_cfg['checkpoint'],
                             init_cfg.get('prefix'))


def check_pretrained(module: nn.Module, name: str, checkpoint: str,
                     prefix: Optional[str]) -> None:
    """Check that a checkpoint has every weight of a module.

    Args:
        module (nn.Module): The module.
        name (str): Its name, for the error.
        checkpoint (str): Path or URL.
        prefix (str, optional): What the weights' names begin with in the file.

    Raises:
        UserError: If there is no such file, or a weight is missing or of
            another shape.
    """
    where = f'{name or "the model"}: pretrained checkpoint "{checkpoint}"'
    if is_missing(checkpoint):
        raise UserError(f'{where} does not exist.{_hint(checkpoint)}')
    state = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu')
    state = state.get('state_dict', state)
    start = f'{prefix.rstrip(".")}.' if prefix else ''
    for key, weight in module.state_dict().items():
        if 'num_batches_tracked' in key:  # which old checkpoints lack
            continue
        other = state.get(f'{start}{key}', state.get(f'module.{start}{key}'))
        if other is None:
            raise UserError(f'{where} lacks "{start}{key}": it is of another '
                            'network, or the prefix is wrong.')
        if other.shape != weight.shape:
            raise UserError(
                f'{where} is of another network: "{start}{key}" is '
                f'{tuple(other.shape)} in the file and {tuple(weight.shape)} '
                'in the model.')


def _pretrained(
    named_modules: Iterable[Tuple[str, nn.Module]]
) -> Iterator[Tuple[str, nn.Module, dict]]:
    for name, module in named_modules:
        init_cfg = getattr(module, 'init_cfg', None) or []
        for cfg in init_cfg if isinstance(init_cfg, list) else [init_cfg]:
            if cfg.get('type') == 'Pretrained':
                yield name, module, cfg


def _hint(checkpoint: str) -> str:
    """Name the config whose default work dir the checkpoint is in."""
    parts = Path(checkpoint).parent.parts
    if parts[:1] != ('work_dirs', ):
        return ''
    config = Path('configs', *parts[1:])
    return f' Train it with: python tools/train.py {config}.py'
