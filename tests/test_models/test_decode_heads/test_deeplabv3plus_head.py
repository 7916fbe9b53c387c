# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmengine.registry import init_default_scope

from gld_mm.functional import global_local_logits

pytest.importorskip('mmseg')
from mmseg.registry import MODELS  # noqa: E402


@pytest.fixture(scope='module')
def head():
    import gld_mm.models.decode_heads  # noqa: F401
    init_default_scope('mmseg')
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='DeepLabV3PlusHead',
            in_channels=6,
            channels=8,
            c1_in_channels=5,
            c1_channels=3,
            dilations=(1, 2),
            dropout_ratio=0,
            num_classes=4,
            norm_cfg=dict(type='BN'),
            align_corners=False)).eval()


def features():
    return [torch.randn(2, 5, 12, 16), torch.randn(2, 6, 3, 4)]


def test_scores_are_at_the_size_of_the_first_map(head):
    low, high = features()
    head.in_index = 1
    assert head((low, high)).shape == (2, 4, 12, 16)


def test_no_convolution_is_separable(head):
    convs = [m for m in head.modules() if isinstance(m, torch.nn.Conv2d)]
    assert all(m.groups == 1 for m in convs)
    # 1x1: a branch, pooling, their union, the low map, the classifier;
    # 3x3: a dilated branch and the two of the decoder.
    sizes = [m.kernel_size[0] for m in convs]
    assert (sizes.count(1), sizes.count(3)) == (5, 3)


def test_pooled_scores_are_the_classifier_of_pooled_features(head):
    """The local logit of the paper, exactly: conv_seg is 1x1."""
    from mmrazor.registry import MODELS as RAZOR
    head.in_index = 1
    inputs = features()
    with torch.no_grad():
        scores = head(inputs)
        feature = head._forward_feature(inputs)
        weight = head.conv_seg.weight[..., 0, 0]
        expected = global_local_logits(
            feature, lambda x: x @ weight.T + head.conv_seg.bias, (2, 2))
        pooled, = RAZOR.build(
            dict(type='DenseLogitConnector', cls_out_channels=4))([scores])
    torch.testing.assert_close(pooled, expected)
