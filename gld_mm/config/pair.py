# Copyright (c) gld_mm authors. All rights reserved.
"""Wire a student and its teacher."""
import os.path as osp
from typing import Optional, Sequence, Tuple, Union

from mmengine.config import Config
from mmengine.utils import get_installed_path, to_2tuple

from gld_mm.errors import UserError

from .distiller import choose_distiller
from .read import (count_classes, imported_modules, leaf_datasets, model_of,
                   read_config, student_of, type_name)

# The hooks of configs/_base_/gld_runtime.py that any training takes
CHECKS = ('FiniteLossHook', 'CheckpointCheckHook', 'DataCheckHook')


def distill(
        student: Union[str, Config],
        teacher: Union[str, Config],
        teacher_ckpt: Optional[str] = None,
        method: str = 'gld',
        teacher_classes: Optional[Sequence[Union[int, str]]] = None) -> Config:
    """Let a teacher teach the network that a config trains.

    The student trains as its own config says, with its own preprocessing and
    batch augmentation; the teacher sees the same batches. Hooks are added that
    measure the teacher and check data, checkpoints and losses.

    Args:
        student (str | Config): Config of mmpretrain, mmseg or mmdet, its path,
            or ``package::path`` of a config of one of them. Of a distillation
            it is that of the student, as for the teacher.
        teacher (str | Config): The same, or the name of a model in the zoo of
            the student's package.
        teacher_ckpt (str, optional): Weights of the teacher. Defaults to None,
            the published ones.
        method (str): 'gld' or 'kd'. Defaults to 'gld'.
        teacher_classes (Sequence[int | str], optional): The teacher's label or
            its name, of each class of the student. Defaults to None, the same
            classes.

    Returns:
        Config: A new config.

    Raises:
        UserError: If the teacher has no weights or other classes than the
            student, or GLD knows nothing of the student's head.
    """
    cfg = student_of(_read(student))
    cfg.pop('model_path', None)
    taught_by, published = _teacher(teacher, cfg.get('default_scope'))
    taught_by = student_of(taught_by)
    teacher_ckpt = teacher_ckpt or published
    if teacher_ckpt is None:
        raise UserError(f'The teacher {taught_by.filename} has no published '
                        'weights: name its checkpoint, --teacher-ckpt FILE.')
    networks = [model_of(cfg), model_of(taught_by)]
    ours, theirs = map(count_classes, networks)
    if teacher_classes is not None:
        theirs = len(teacher_classes)
    if None not in (ours, theirs) and ours != theirs:
        raise UserError(
            f'The student has {ours} classes, the teacher {theirs}: '
            'if it knows those of the student, list its names or labels of '
            'them, --teacher-classes NAME ... Else fine-tune it first, with a '
            'config that sets its number of classes and '
            f'load_from="{teacher_ckpt}", and give that config and its '
            'checkpoint.')
    task_loss_weight, distiller = choose_distiller(networks, method)
    cfg.model = dict(
        type='mmrazor.FrozenTeacherDistill',
        architecture=networks[0],
        teacher=networks[1],
        teacher_ckpt=teacher_ckpt,
        teacher_config=taught_by.filename,
        teacher_classes=teacher_classes,
        task_loss_weight=task_loss_weight,
        # The student's, and not what the runner would build of the config's.
        data_preprocessor=None,
        distiller=distiller)
    size, teacher_size = _image_size(cfg), _image_size(taught_by)
    if size and teacher_size and size != teacher_size:
        cfg.model.teacher_size = teacher_size
    hooks = cfg.get('custom_hooks') or []
    present = [type_name(hook) for hook in hooks]
    cfg.custom_hooks = [
        *hooks, *(dict(type=kind) for kind in CHECKS if kind not in present)
    ]
    cfg.default_hooks = dict(
        cfg.get('default_hooks') or {},
        teacher_val=dict(type='mmrazor.TeacherValHook'))
    cfg.custom_imports = dict(
        imports=list(dict.fromkeys([*imported_modules(cfg), 'gld_mm'])),
        allow_failed_imports=False)
    return cfg


def _read(source: Union[str, Config]) -> Config:
    """A config of its own from a path or another config."""
    return read_config(source) if isinstance(source, str) else source.copy()


def _teacher(teacher: Union[str, Config],
             package: Optional[str]) -> Tuple[Config, Optional[str]]:
    """The config of a teacher and its published weights."""
    if not isinstance(teacher, str) or osp.exists(teacher) or '::' in teacher:
        cfg = _read(teacher)
        return cfg, cfg.get('model_path')
    if package is None:
        raise UserError(f'The teacher "{teacher}" is no config file, and the '
                        'student has no default_scope, whose zoo would be '
                        'searched.')
    from modelindex.load_model_index import load
    root = osp.join(get_installed_path(package), '.mim')
    index = load(osp.join(root, 'model-index.yml'))
    index.build_models_with_collections()
    models = {model.name.lower(): model for model in index.models}
    model = models.get(teacher.lower())
    if model is None:
        raise UserError(f'The teacher "{teacher}" is no config file, and no '
                        f'model of {package} has this name.')
    return read_config(osp.join(root, model.config)), model.weights


def _image_size(cfg: Config) -> Optional[Tuple[int, int]]:
    """Height and width of the images that a classifier is trained on."""
    if cfg.get('default_scope') != 'mmpretrain':
        return None  # Dense networks take images of any size.
    dataset = leaf_datasets(cfg.get('train_dataloader') or {})[0]
    for step in reversed(dataset.get('pipeline') or []):
        size = step.get('crop_size') or step.get('scale')
        name = type_name(step)
        if size and ('Crop' in name or name == 'Resize'):
            size = tuple(to_2tuple(size))
            # These two of mmcv take the width first.
            return size[::-1] if name in ('Resize', 'CenterCrop') else size
    return None
