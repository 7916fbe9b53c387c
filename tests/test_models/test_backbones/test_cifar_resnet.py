# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch

from gld_mm.models import CifarResNet


def parameters(n):
    """Weights of a 6n+2-layer ResNet with 1x1 shortcuts, without classifier.

    A convolution has k*k*in*out weights, its batch norm 2*out.
    """

    def conv(k, i, o):
        return k * k * i * o + 2 * o

    total = conv(3, 3, 16) + 2 * n * conv(3, 16, 16)
    for i, o in ((16, 32), (32, 64)):
        total += conv(3, i, o) + (2 * n - 1) * conv(3, o, o) + conv(1, i, o)
    return total


@pytest.mark.parametrize('depth, millions', [(20, 0.27), (32, 0.46),
                                             (110, 1.73)])
def test_it_has_the_size_of_the_paper(depth, millions):
    model = CifarResNet(depth)
    count = sum(p.numel() for p in model.parameters())
    assert count == parameters((depth - 2) // 6)
    assert count / 1e6 == pytest.approx(millions, abs=0.01)


def test_it_has_as_many_layers_as_its_depth_says():
    convs = [
        m for name, m in CifarResNet(20).named_modules()
        if isinstance(m, torch.nn.Conv2d) and 'downsample' not in name
    ]
    assert len(convs) + 1 == 20  # and the classifier


def test_the_map_before_pooling_is_8x8_with_64_channels():
    feature, = CifarResNet(20)(torch.randn(2, 3, 32, 32))
    assert feature.shape == (2, 64, 8, 8)


def test_residual_branches_do_not_start_from_zero():
    model = CifarResNet(8)
    model.init_weights()
    assert all(
        m.weight.eq(1).all() for m in model.modules()
        if isinstance(m, torch.nn.BatchNorm2d))


@pytest.mark.parametrize('depth', [18, 21, 2])
def test_another_depth_is_an_error(depth):
    with pytest.raises(ValueError, match=f'6n \\+ 2, got {depth}'):
        CifarResNet(depth)
