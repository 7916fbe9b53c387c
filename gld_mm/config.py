# Copyright (c) gld_mm authors. All rights reserved.
"""Functions from configs to configs."""
import os.path as osp
from typing import Any, List, Optional, Tuple, Union

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config
from mmengine.registry import MODELS
from mmengine.utils import get_installed_path, to_2tuple
from mmpretrain.models.heads import MultiLabelClsHead
from torch import nn

from .errors import UserError

_PLACE = 'the network of the student'
# Of detectors with a second stage, masks or a teacher of their own
_OTHER_PARTS = {'mask_head', 'panoptic_head', 'roi_head', 'teacher_ckpt'}
# Dense heads of the hosts that do not output a logit of each class
_NO_SCORES = ('PointHead', 'SideAdapterCLIPHead', 'VPDDepthHead', 'YOLOV3Head')


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
    task_loss_weight, distiller = _distiller(networks, method)
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
    sizes = [_image_size(cfg), _image_size(taught_by)]
    if None not in sizes and sizes[0] != sizes[1]:
        cfg.model.teacher_size = sizes[1]
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


def _image_size(cfg: Config) -> Optional[Tuple[int, int]]:
    """Height and width of the images that a classifier is trained on."""
    if cfg.get('default_scope') != 'mmpretrain':
        return None  # Dense networks take images of any size.
    loader = cfg.get('train_dataloader') or {}
    for step in reversed(loader.get('dataset', {}).get('pipeline') or []):
        if 'Crop' in step['type'] or step['type'] == 'Resize':
            return to_2tuple(step.get('crop_size') or step['scale'])
    return None


def _head(network: ConfigDict) -> ConfigDict:
    """The head that predicts, the last of a cascade; timm has none."""
    for key in ('head', 'decode_head', 'bbox_head'):
        head = network.get(key)
        if head:
            return head[-1] if isinstance(head, (list, tuple)) else head
    return network


def _num_classes(network: ConfigDict) -> Optional[int]:
    head = _head(network)
    return head.get('kernel_generate_head', head).get('num_classes')


def _distiller(networks: List[ConfigDict], method: str) -> tuple:
    """The weight of the student's own losses, and the distiller."""
    heads = [_build_head(network) for network in networks]
    sigmoid = dict(sigmoid=True) if any(map(_has_sigmoids, heads)) else {}
    if sigmoid and method == 'kd':
        raise UserError('KD compares softmax probabilities, and the head ends '
                        'with sigmoids: use --method gld.')
    if 'bbox_head' in networks[0]:
        channels = heads[0].cls_out_channels
        kind = 'SigmoidDense' if sigmoid else 'Dense'
        gld = dict(
            type=f'mmrazor.{kind}GLDDistiller', cls_out_channels=channels)
    elif 'decode_head' in networks[0]:
        channels = heads[0].out_channels
        labels = type(heads[0])._stack_batch_gt
        gld = dict(
            type='mmrazor.DenseGLDDistiller',
            cls_out_channels=channels,
            beta=125,
            labels=f'{labels.__module__}.{labels.__qualname__}',
            **sigmoid)
    else:
        channels = None
        gld = dict(type='mmrazor.GLDDistiller', **sigmoid)
    if method == 'gld':
        return None, gld
    if channels is None:
        return 0.1, _kd(dict(type='mmrazor.GlobalLocalLogits', grid=None), 0.9)
    return None, _kd(
        dict(type='mmrazor.ScoreMaps'), 1.,
        dict(type='mmrazor.DenseRowConnector', cls_out_channels=channels))


def _build_head(network: ConfigDict) -> Any:
    """The head that predicts; timm has none."""
    head = _head(network)
    if head is network and network._scope_ == 'mmpretrain':
        return None
    if head is network or _OTHER_PARTS & set(network):
        raise UserError(f'GLD takes no {network.type}: of detectors it takes '
                        'plain ones of one stage, such as SSD and RetinaNet.')
    base: type = nn.Module
    if 'bbox_head' in network:
        from mmdet.models.dense_heads import base_dense_head
        base = base_dense_head.BaseDenseHead
    elif 'decode_head' in network:
        from mmseg.models.decode_heads import decode_head
        base = decode_head.BaseDecodeHead
    refusal = (f'GLD takes no {head.type}, which does not output a logit of '
               'each class at each position.')
    with MODELS.switch_scope_and_registry(network._scope_) as registry:
        kind = registry.get(head.type)
    if not issubclass(kind, base) or kind.__name__ in _NO_SCORES:
        raise UserError(refusal)
    built = MODELS.build(ConfigDict(head, _scope_=network._scope_))
    # CenterNet's and CornerNet's heatmaps and TOOD's scores are probabilities.
    if 'bbox_head' in network and (not hasattr(built, 'cls_out_channels')
                                   or getattr(built.loss_cls, 'activated',
                                              False)):
        raise UserError(refusal)
    return built


def _has_sigmoids(head: Any) -> bool:
    """Whether each class of a head has its own yes or no."""
    if isinstance(head, MultiLabelClsHead):
        return True
    if hasattr(head, 'use_sigmoid_cls'):  # of mmdet
        return head.use_sigmoid_cls
    return getattr(head, 'out_channels', None) == 1  # of mmseg


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
