# Copyright (c) gld_mm authors. All rights reserved.
"""Functions from configs to configs."""
import os.path as osp
from typing import List, Optional, Tuple, Union

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config
from mmengine.utils import get_installed_path

from .errors import UserError

_PLACE = 'the network of the student'


def read_config(path: str) -> Config:
    """Read a config.

    Args:
        path (str): The file, or ``package::path`` of a config of a host, which
            knows its published weights as ``model_path``.

    Returns:
        Config: What is in it.

    Raises:
        UserError: If it or one of its bases is missing or is no Python.
    """
    try:
        if '::' not in str(path):
            return Config.fromfile(path)
        try:
            return get_config(path, pretrained=True)
        except AssertionError:  # without published weights
            return get_config(path)
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(
            f'The config {path} cannot be read: {error}') from error


def write_pair(cfg: Config, student: str, path: str) -> None:
    """Write the config of a pair as one that inherits the student's.

    Args:
        cfg (Config): What :func:`distill` made of the student's config.
        student (str): Path of the student's config, or ``package::path``.
        path (str): The file to write.
    """
    base = student if '::' in student else osp.abspath(student)
    alone = read_config(student)
    changed = {
        key: value
        for key, value in cfg.to_dict().items() if value != alone.get(key)
    }
    added = ''.join(f', {key}={value!r}'
                    for key, value in cfg.model.architecture.to_dict().items()
                    if value != alone.model.get(key))
    network = f'dict(_base_.model{added})'
    changed['model'].update(_delete_=True, architecture=_PLACE)
    text = Config(changed).pretty_text.replace(repr(_PLACE), network)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'_base_ = {base!r}\n\n{text}')


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


def distill(student: Union[str, Config],
            teacher: Union[str, Config],
            teacher_ckpt: Optional[str] = None,
            method: str = 'gld') -> Config:
    """Let a teacher teach the network that a config trains.

    The student trains as its own config says, with its own preprocessing and
    batch augmentation; the teacher sees the same batches.

    Args:
        student (str | Config): Config of mmpretrain, mmseg or mmdet, its path,
            or ``package::path`` of a config of one of them.
        teacher (str | Config): The same, or the name of a model in the zoo of
            the student's package.
        teacher_ckpt (str, optional): Weights of the teacher. Defaults to None,
            the published ones.
        method (str): 'gld' or 'kd'. Defaults to 'gld'.

    Returns:
        Config: A new config.

    Raises:
        UserError: If the teacher has no weights or other classes than the
            student, or GLD knows nothing of the student's head.
    """
    cfg = read_config(student) if isinstance(student, str) else student.copy()
    cfg.pop('model_path', None)
    scope = cfg.get('default_scope', 'mmengine')
    if isinstance(teacher,
                  str) and not osp.exists(teacher) and '::' not in teacher:
        teacher, published = _in_zoo(teacher, scope)
        teacher_ckpt = teacher_ckpt or published
    taught_by = read_config(teacher) if isinstance(teacher,
                                                   str) else teacher.copy()
    teacher_ckpt = teacher_ckpt or taught_by.get('model_path')
    if teacher_ckpt is None:
        raise UserError(f'The teacher {taught_by.filename} has no published '
                        'weights: name its checkpoint, --teacher-ckpt FILE.')
    networks = [_network(cfg), _network(taught_by)]
    classes = [_num_classes(network) for network in networks]
    if classes[0] != classes[1]:
        raise UserError(
            f'The student has {classes[0]} classes, the teacher {classes[1]}: '
            'fine-tune the teacher first, with a config that sets its number '
            f'of classes and load_from="{teacher_ckpt}", and give that config '
            'and its checkpoint.')
    task_loss_weight, distiller = _distiller(networks, classes[0], method)
    cfg.model = dict(
        type='mmrazor.FrozenTeacherDistill',
        architecture=networks[0],
        teacher=networks[1],
        teacher_ckpt=teacher_ckpt,
        teacher_config=taught_by.filename,
        task_loss_weight=task_loss_weight,
        # The student's, and not what the runner would build of the config's.
        data_preprocessor=None,
        distiller=distiller)
    cfg.merge_from_dict({
        'default_hooks.teacher_val.type':
        'mmrazor.TeacherValHook',
        'custom_imports':
        dict(
            imports=list(
                dict.fromkeys([
                    *cfg.get('custom_imports', {}).get('imports', []), 'gld_mm'
                ])),
            allow_failed_imports=False)
    })
    return cfg


def _in_zoo(name: str, package: str) -> Tuple[str, Optional[str]]:
    """The config and the weights of a model of a package."""
    from modelindex.load_model_index import load
    root = osp.join(get_installed_path(package), '.mim')
    index = load(osp.join(root, 'model-index.yml'))
    index.build_models_with_collections()
    models = {model.name.lower(): model for model in index.models}
    if name.lower() not in models:
        raise UserError(
            f'The teacher "{name}" is no config file, and no model '
            f'of {package} has this name.')
    model = models[name.lower()]
    return osp.join(root, model.config), model.weights


def _network(cfg: Config) -> ConfigDict:
    """A network with the preprocessing that its runner would give it."""
    network = ConfigDict(cfg.model.to_dict(), _scope_=cfg.default_scope)
    if 'data_preprocessor' in cfg:
        network.setdefault('data_preprocessor', cfg.data_preprocessor)
    return network


def _num_classes(network: ConfigDict) -> Optional[int]:
    for key in ('head', 'decode_head', 'bbox_head'):
        head = network.get(key)
        if head:
            last = head[-1] if isinstance(head, (list, tuple)) else head
            return last.get('num_classes')
    return network.get('num_classes')  # of timm


def _distiller(networks: List[ConfigDict], num_classes: Optional[int],
               method: str) -> Tuple[Optional[float], dict]:
    """The weight of the student's own losses, and the distiller."""
    student = networks[0]
    dense: dict
    labels: dict = {}
    if student.get('bbox_head'):
        if any(
                n.get('bbox_head', {}).get('type') != 'SSDHead'
                for n in networks):
            raise UserError('Of detectors GLD takes those with an SSDHead, '
                            'the student and the teacher.')
        assert num_classes is not None  # of an SSDHead
        dense = dict(cls_out_channels=num_classes + 1)
        scores = 'bbox_head.cls_convs'
    elif student.get('decode_head'):
        dense = dict(
            cls_out_channels=student.decode_head.get('out_channels')
            or num_classes)
        scores, labels = 'decode_head.conv_seg', dict(
            beta=125,
            labels='mmseg.models.decode_heads.decode_head.BaseDecodeHead.'
            '_stack_batch_gt')
    elif method == 'gld':
        return None, dict(type='mmrazor.GLDDistiller')
    else:
        return 0.1, _kd(dict(type='mmrazor.GlobalLocalLogits', grid=None), 0.9)
    if method == 'gld':
        return None, dict(
            type='mmrazor.DenseGLDDistiller', scores=scores, **dense, **labels)
    return None, _kd(
        dict(type='mmrazor.ScoreMaps', source=scores), 1.,
        dict(type='mmrazor.DenseRowConnector', **dense))


def _kd(recorder: dict,
        loss_weight: float,
        connector: Optional[dict] = None) -> dict:
    """Hinton et al. at temperature 4."""
    rows = dict(
        recorder='rows', **(dict(connector='rows') if connector else {}))
    return dict(
        type='mmrazor.ConfigurableDistiller',
        student_recorders=dict(rows=recorder),
        teacher_recorders=dict(rows=recorder),
        connectors=dict(rows=connector) if connector else None,
        distill_losses=dict(
            loss_kl=dict(
                type='mmrazor.KLDivergence', tau=4, loss_weight=loss_weight)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(rows, from_student=True),
                preds_T=dict(rows, from_student=False))))
