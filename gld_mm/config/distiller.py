# Copyright (c) gld_mm authors. All rights reserved.
"""Choose the distiller of two networks by their heads."""
from typing import Any, List

from mmengine.config import ConfigDict
from mmengine.registry import MODELS
from mmpretrain.models.heads import MultiLabelClsHead
from torch import nn

from gld_mm.errors import UserError

from .read import head_of, type_name

# Of detectors with a second stage, masks or a teacher of their own
_OTHER_PARTS = {'mask_head', 'panoptic_head', 'roi_head', 'teacher_ckpt'}
# Dense heads of the hosts that do not output a logit of each class
_NO_SCORES = ('PointHead', 'SideAdapterCLIPHead', 'VPDDepthHead', 'YOLOV3Head')


def choose_distiller(networks: List[ConfigDict], method: str) -> tuple:
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
            beta=125,  # as configs/_base_/distillers/gld_seg.py says
            labels=f'{labels.__module__}.{labels.__qualname__}',
            **sigmoid)
        if heads[0].ignore_index is not None:
            gld['ignore_index'] = heads[0].ignore_index
    else:
        channels = None
        gld = dict(type='mmrazor.GLDDistiller', **sigmoid)
    if method == 'gld':
        return None, gld
    if channels is None:
        return 0.1, _kd(dict(type='mmrazor.GlobalLocalLogits', grid=None), 0.9)
    return None, _kd(
        dict(type='mmrazor.ScoreMaps'),
        1.,
        rows=dict(type='mmrazor.DenseRowConnector', cls_out_channels=channels))


def _build_head(network: ConfigDict) -> Any:
    head = head_of(network)
    if head is network and network._scope_ == 'mmpretrain':
        return None
    if head is network or _OTHER_PARTS & set(network):
        raise UserError(
            f'GLD takes no {type_name(network)}: of detectors it takes '
            'plain ones of one stage, such as SSD and RetinaNet.')
    base: type = nn.Module
    if 'bbox_head' in network:
        from mmdet.models.dense_heads import base_dense_head
        base = base_dense_head.BaseDenseHead
    elif 'decode_head' in network:
        from mmseg.models.decode_heads import decode_head
        base = decode_head.BaseDecodeHead
    name = type_name(head)
    refusal = (f'GLD takes no {name}, which does not output a logit of '
               'each class at each position.')
    kind = head.type
    if isinstance(kind, str):
        with MODELS.switch_scope_and_registry(network._scope_) as registry:
            kind = registry.get(kind)
    if kind is None:
        raise UserError(f'The head {name} is not in the registry: is its '
                        'name right, and its module in custom_imports?')
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


def _kd(recorder: dict, loss_weight: float, **connectors: dict) -> dict:
    """Hinton et al. at temperature 4, as configs/_base_/distillers/kd.py."""
    rows = dict(recorder='rows')
    if connectors:
        rows['connector'] = 'rows'
    return dict(
        type='mmrazor.ConfigurableDistiller',
        student_recorders=dict(rows=dict(recorder, network='student')),
        teacher_recorders=dict(rows=dict(recorder, network='teacher')),
        connectors=connectors,
        distill_losses=dict(
            loss_kl=dict(
                type='mmrazor.KLDivergence', tau=4, loss_weight=loss_weight)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(rows, from_student=True),
                preds_T=dict(rows, from_student=False))))
