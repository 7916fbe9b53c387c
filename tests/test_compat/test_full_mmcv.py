# Copyright (c) gld_mm authors. All rights reserved.
"""What takes the compiled operators of full mmcv."""
import math
from importlib.util import find_spec

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, init_default_scope

from ..configs import load
from .test_mmrazor_configs import mmseg as sample

pytestmark = pytest.mark.skipif(
    getattr(find_spec('mmcv._ext'), 'loader', None) is None,
    reason='full mmcv is not installed')


def psanet(base_channels):
    """PSANet on a ResNet-18: its attention is the operator ``psamask``."""
    return dict(
        type='mmseg.EncoderDecoder',
        data_preprocessor=dict(
            type='mmseg.SegDataPreProcessor',
            mean=[128.] * 3,
            std=[64.] * 3,
            size=(64, 64)),
        backbone=dict(
            type='mmseg.ResNetV1c',
            depth=18,
            base_channels=base_channels,
            strides=(1, 2, 1, 1),
            dilations=(1, 1, 2, 4)),
        decode_head=dict(
            type='mmseg.PSAHead',
            in_channels=8 * base_channels,
            in_index=3,
            channels=16,
            mask_size=(7, 7),
            num_classes=19,
            init_cfg=None,
            norm_cfg=dict(type='BN'),
            align_corners=False,
            loss_decode=dict(type='mmseg.CrossEntropyLoss')),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'))


def test_psanet_distils_a_step():
    pytest.importorskip('mmseg')
    init_default_scope('mmrazor')
    torch.manual_seed(0)
    distiller = load('_base_/distillers/gld_seg.py').gld
    model = MODELS.build(
        dict(
            type='mmrazor.GLDDistill',
            architecture=psanet(4),
            teacher=psanet(8),
            distiller=dict(distiller, cls_out_channels=19)))
    weights = model.decode_head.attention[1].weight
    before = weights.detach().clone()
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    logs = model.train_step(
        dict(
            inputs=list(images),
            data_samples=[sample(i, 64) for i in range(2)]),
        OptimWrapper(torch.optim.SGD(model.parameters(), 0.1)))
    assert all(math.isfinite(value) for value in logs.values())
    assert sum('distill' in name for name in logs) == 3
    assert not torch.equal(weights, before)
