# Copyright (c) gld_mm authors. All rights reserved.
"""Read configs, and what they say."""
import copy
from inspect import signature
from typing import Any, List, Optional

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config
from mmengine.utils import import_modules_from_strings

from gld_mm.errors import UserError

# Names of frozen_teacher_distill: those of the registry, and its own where a
# new-style config gives the function
_DISTILLED = ('FrozenTeacherDistill', 'GLDDistill', 'frozen_teacher_distill')


def read_config(path: str) -> Config:
    """Read a config.

    Args:
        path (str): The file, or ``package::path`` of a config of a host, which
            knows its published weights as ``model_path``.

    Returns:
        Config: What is in it.

    Raises:
        UserError: If it or one of its bases is missing, is no Python or
            contradicts what it inherits.
    """
    try:
        cfg = _parse(str(path))
    except Exception as error:  # It runs the user's own code.
        raise UserError(
            f'The config {path} cannot be read: {error}') from error
    # What the user's own modules raise is no fault of the config.
    if cfg.get('custom_imports'):
        import_modules_from_strings(**cfg.custom_imports)
    return cfg


def _parse(path: str) -> Config:
    if '::' not in path:
        return Config.fromfile(path, import_custom_modules=False)
    try:
        return get_config(path, pretrained=True)
    except AssertionError:  # without published weights
        return get_config(path)


def imported_modules(cfg: Config) -> List[str]:
    """The modules of ``custom_imports``, which may be a single name."""
    modules = (cfg.get('custom_imports') or {}).get('imports') or []
    return [modules] if isinstance(modules, str) else list(modules)


def is_distilled(cfg: Config) -> bool:
    """Whether a config trains a :class:`FrozenTeacherDistill`."""
    return type_name(cfg.get('model') or {}) in _DISTILLED


def student_of(cfg: Config) -> Config:
    """Replace a distillation model by its student, which checkpoints hold.

    Args:
        cfg (Config): Any config; what is no :class:`FrozenTeacherDistill` is
            left alone.

    Returns:
        Config: The same object. Its model is built of the settings that
        training builds the student of.
    """
    if not is_distilled(cfg):
        return cfg
    # The models import gld_mm.engine, whose hooks import this module.
    from gld_mm.models.algorithms.frozen_teacher_distill import \
        frozen_teacher_distill
    own = signature(frozen_teacher_distill).parameters
    beside = {
        key: value
        for key, value in cfg.model.items()
        if key not in own and value is not None
    }
    student = cfg.model.architecture
    if 'type' not in student and 'cfg_path' in student:  # as mmrazor's configs
        student = model_of(read_config(student.cfg_path))
    cfg.model = {**beside, **student}
    (cfg.get('default_hooks') or {}).pop('teacher_val', None)
    return cfg


def model_of(cfg: Config) -> ConfigDict:
    """The config of a network, with the preprocessing its runner gives it."""
    if 'model' not in cfg:
        raise UserError(f'The config {cfg.filename} has no model.')
    model = copy.deepcopy(cfg.model)
    model.setdefault('_scope_', cfg.get('default_scope'))
    if 'data_preprocessor' in cfg:
        model.setdefault('data_preprocessor', cfg.data_preprocessor)
    return model


def head_of(model: dict) -> Any:
    """The head that predicts, the last of a cascade; timm's is the model."""
    for key in ('head', 'decode_head', 'bbox_head'):
        head = model.get(key)
        if head:
            return head[-1] if isinstance(head, (list, tuple)) else head
    return model


def count_classes(model: dict) -> Optional[int]:
    """The number of classes of a network's head, if it says so.

    Args:
        model (dict): Config of the network, or of a distillation of it.
    """
    model = model.get('architecture') or model
    if {'language_model', 'text_encoder'} & set(model):
        return None  # The classes are told as a text.
    head = head_of(model)
    return head.get('kernel_generate_head', head).get('num_classes')


def leaf_datasets(dataset: dict) -> List[dict]:
    """Configs of the datasets that one is made of, or its own."""
    inner = dataset.get('datasets') or [dataset.get('dataset')]
    found = [
        leaf for part in inner if isinstance(part, dict)
        for leaf in leaf_datasets(part)
    ]
    return found or [dataset]


def type_name(part: dict) -> str:
    """The name of what a part of a config builds, given as text or class."""
    kind = part.get('type')
    return getattr(kind, '__name__', str(kind)).split('.')[-1]
