# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

from mmengine.config import Config


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
