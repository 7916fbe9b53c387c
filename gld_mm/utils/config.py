# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS

from .user_error import UserError


def default_work_dir(config: str) -> str:
    """Where a config's logs and checkpoints go if nothing else says so.

    The same file name stands under ``baseline/``, ``kd/`` and ``gld/``, so the
    folders below ``configs/`` are kept.

    Args:
        config (str): Path of the config.

    Returns:
        str: ``work_dirs/gld/x`` for ``configs/gld/x.py``, ``work_dirs/x`` for
        an ``x.py`` elsewhere.
    """
    path = Path(config).resolve().with_suffix('')
    parts = path.parts
    if 'configs' in parts:
        last = len(parts) - parts[::-1].index('configs')
        return str(Path('work_dirs', *parts[last:]))
    return str(Path('work_dirs', path.name))


def student_of(cfg: Config) -> Config:
    """Replace a distillation model by its student, which checkpoints hold.

    Args:
        cfg (Config): Any config; one without a teacher is left alone.

    Returns:
        Config: The same object.
    """
    if 'teacher' in cfg.model:
        preprocessor = cfg.model.get('data_preprocessor')
        cfg.model = cfg.model.architecture
        if preprocessor is not None:
            cfg.model.data_preprocessor = preprocessor
        cfg.get('default_hooks', {}).pop('teacher_val', None)
    return cfg


def check_optimizer(cfg: Config) -> None:
    """Check that there is an optimizer of the name that a config has.

    mmengine says "None is not a callable object" of another.

    Args:
        cfg (Config): Config of a training.

    Raises:
        UserError: If there is none.
    """
    name = cfg.get('optim_wrapper', {}).get('optimizer', {}).get('type')
    if isinstance(name, str) and OPTIMIZERS.get(name) is None:
        raise UserError(
            f'optim_wrapper.optimizer.type "{name}" is not the name of an '
            'optimizer of torch or of the registry, such as SGD or AdamW.')
