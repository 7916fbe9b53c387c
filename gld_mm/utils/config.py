# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path
from typing import Tuple

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS

from .user_error import UserError


def read_config(path: str) -> Config:
    """Read a config that is not, by way of its bases, its own base.

    Of a circle mmengine opens files until the system has no more.

    Args:
        path (str): The file.

    Returns:
        Config: What is in it.

    Raises:
        UserError: If its bases lead back to one of them.
    """
    _check_bases(Path(path).resolve(), ())
    return Config.fromfile(path)


def _check_bases(path: Path, heirs: Tuple[Path, ...]) -> None:
    if path in heirs:
        circle = ' -> '.join(map(str, (*heirs[heirs.index(path):], path)))
        raise UserError(f'The _base_ of configs lead in a circle: {circle}')
    try:
        bases = [
            Config._get_cfg_path(base, str(path))[0]
            for base in Config._get_base_files(str(path))
        ]
    except Exception:  # what else may be wrong, mmengine says
        return
    for base in bases:
        _check_bases(Path(base).resolve(), (*heirs, path))


def keep_workers(cfg: Config) -> None:
    """Let the workers of dataloaders live on between epochs.

    mmengine seeds workers with the run's seed when they start: started anew,
    they would draw the same crops and flips in every epoch. The hosts' configs
    set this, or mmpretrain's train.py does.

    Args:
        cfg (Config): Config of a training; what it sets itself stays.
    """
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader and loader.get('num_workers'):
            loader.setdefault('persistent_workers', True)


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
