# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from torch import nn

from gld_mm.models import CifarWideResNet


def parameters(depth, width):
    """Weights by hand: convolutions, and two of each batch norm's channel."""
    n = (depth - 4) // 6
    total, channels = 3 * 9 * 16, 16
    for out in (16 * width, 32 * width, 64 * width):
        if out != channels:
            total += channels * out  # the 1x1 shortcut
        for i in [channels] + [out] * (n - 1):
            total += 2 * i + 9 * i * out + 2 * out + 9 * out * out
        channels = out
    return total + 2 * channels


# Table 1, in millions, with a classifier of 100 classes. The paper's 2.73 of
# WRN-16-4 is that without 1x1 shortcuts, its 4.32 of WRN-22-4 that with them.
@pytest.mark.parametrize('depth, width, millions, paper', [
    (16, 1, 0.181, 0.18),
    (16, 2, 0.703, 0.70),
    (16, 4, 2.772, 2.73),
    (22, 4, 4.322, 4.32),
])
def test_it_has_the_size_of_table_1(depth, width, millions, paper):
    model = CifarWideResNet(depth, width)
    count = sum(p.numel() for p in model.parameters())
    assert count == parameters(depth, width)
    total = count + 64 * width * 100 + 100
    assert round(total / 1e6, 3) == millions
    shortcuts = sum(m.weight.numel() for m in model.modules()
                    if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1))
    assert round(total / 1e6, 2) == paper or \
        round((total - shortcuts) / 1e6, 2) == paper


def test_it_has_as_many_layers_as_its_depth_says():
    convs = [
        m for m in CifarWideResNet(16, 2).modules()
        if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)
    ]
    # The classifier, and the two shortcuts that Zagoruyko counts.
    assert len(convs) + 1 + 2 == 16


def test_the_map_before_pooling_is_8x8_activated_and_64k_channels_wide():
    feature, = CifarWideResNet(10, 2)(torch.randn(2, 3, 32, 32))
    assert feature.shape == (2, 128, 8, 8)
    assert feature.min() == 0


def test_a_block_is_the_sum_of_input_and_branch():
    model = CifarWideResNet(10)
    block = model.layer1[0]
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 16, 8, 8)
    assert block(x.clone()).equal(x)


def test_a_shortcut_sees_the_activated_input():
    block = CifarWideResNet(10).layer2[0].eval()
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 16, 8, 8)
    expected = block.shortcut(block.norm1(x).relu())
    torch.testing.assert_close(block(x.clone()), expected)


def test_he_initialisation_keeps_the_variance_of_the_gradient():
    model = CifarWideResNet(10, 4)
    model.init_weights()
    weight = model.layer3[0].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (9 * 256))**0.5, rel=0.02)


@pytest.mark.parametrize('frozen, trained', [
    (-1, {'conv1', 'layer1', 'layer2', 'layer3', 'norm'}),
    (0, {'layer1', 'layer2', 'layer3', 'norm'}),
    (1, {'layer2', 'layer3', 'norm'}),
    (3, set()),
])
def test_frozen_stages_are_not_trained_and_stay_in_eval_mode(frozen, trained):
    model = CifarWideResNet(10, frozen_stages=frozen)
    assert model.train() is model
    found = {
        name.split('.')[0]
        for name, p in model.named_parameters() if p.requires_grad
    }
    assert found == trained
    assert {
        name.split('.')[0]
        for name, m in model.named_modules()
        if isinstance(m, nn.BatchNorm2d) and m.training
    } == trained - {'conv1'}


@pytest.mark.parametrize('depth', [4, 15, 18])
def test_another_depth_is_an_error(depth):
    with pytest.raises(ValueError, match=f'6n \\+ 4, got {depth}'):
        CifarWideResNet(depth)
