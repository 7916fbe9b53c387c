# Copyright (c) gld_mm authors. All rights reserved.
import copy
from contextlib import contextmanager

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from torch import nn

from gld_mm.models.algorithms.prepare_for_inference import \
    prepare_for_inference

from ...conftest import classifier

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')
LOG = 'gld_mm.models.algorithms.prepare_for_inference.print_log'
CIFAR_RESNET = dict(type='mmpretrain.CifarResNet', depth=14, base_channels=4)
WRN = dict(type='mmpretrain.CifarWideResNet', depth=10, width=1)
RESNET = dict(
    type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4)


def trained(network):
    """Batch norms have seen some data; the mode is eval."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return network.eval()


def classifier_of(backbone, channels):
    cfg = classifier()
    cfg.update(backbone=backbone, head=dict(cfg['head'], in_channels=channels))
    return trained(MODELS.build(cfg))


def batch_norms(network):
    return [
        name for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    ]


@contextmanager
def same_outputs(network):
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        before = network(images, mode='tensor')
        yield
        after = network(images, mode='tensor')
    assert (before - after).abs().max() <= 1e-4 * before.abs().max()


# In a WRN a batch norm reads a sum before each of three blocks and at the end.
@pytest.mark.parametrize('backbone, channels, left', [(CIFAR_RESNET, 16, 0),
                                                      (RESNET, 32, 0),
                                                      (WRN, 64, 4)])
def test_batch_norms_are_folded_and_the_logits_stay(backbone, channels, left):
    network = classifier_of(backbone, channels)
    with same_outputs(network):
        prepare_for_inference(network)
    assert len(batch_norms(network)) == left


def test_mmcvs_fusion_in_order_of_definition_does_not_fit_a_wrn():
    # It folds the last batch norm into the first convolution.
    with pytest.raises(RuntimeError, match='shape'):
        fuse_conv_bn(classifier_of(WRN, 64))


def test_weights_are_channels_last():
    network = classifier_of(WRN, 64)
    prepare_for_inference(network)
    weight = network.backbone.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()


def test_modules_keep_their_names_and_hooks():
    network = classifier_of(WRN, 64)
    names = [name for name, _ in network.named_modules()]
    fired = []
    for name in ('backbone', 'backbone.layer2', 'head.fc'):
        network.get_submodule(name).register_forward_hook(
            lambda *_, name=name: fired.append(name))
    prepare_for_inference(network)
    assert [name for name, _ in network.named_modules()] == names
    fired.clear()
    network(torch.randn(1, 3, 32, 32), mode='tensor')
    assert fired == ['backbone.layer2', 'backbone', 'head.fc']


@pytest.mark.parametrize('name', ['conv1', 'norm1'])
def test_what_is_hooked_keeps_its_output(name):
    network = classifier_of(RESNET, 32)
    outputs = []
    getattr(network.backbone, name).register_forward_hook(
        lambda module, inputs, output: outputs.append(output))
    images = torch.randn(1, 3, 32, 32)
    network(images, mode='tensor')
    before = outputs[-1]
    prepare_for_inference(network)
    network(images, mode='tensor')
    torch.testing.assert_close(outputs[-1], before)
    assert batch_norms(network) == ['backbone.bn1']


class Network(BaseModel):
    """A convolution and a batch norm, and how they are called."""

    def __init__(self, traceable=True):
        super().__init__()
        self.block = Block()
        self.traceable = traceable

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if not self.traceable and inputs.sum() > 1e9:
            return inputs
        return self.block(inputs)


class Block(nn.Module):

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.bn = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.bn(self.conv(x))


class CalledByKeyword(Block):

    def forward(self, x):
        return self.bn(self.conv(input=x))


class ReadTwice(Block):

    def forward(self, x):
        x = self.conv(x)
        return self.bn(x) + x


class CalledTwice(Block):

    def forward(self, x):
        return self.bn(self.conv(self.conv(x)))


class Standardized(nn.Conv2d):

    def forward(self, x):
        return nn.functional.conv2d(x, self.weight / self.weight.norm())


@pytest.mark.parametrize('traceable', [True, False])
def test_what_cannot_be_traced_as_a_whole_is_traced_in_parts(traceable):
    network = trained(Network(traceable))
    with same_outputs(network):
        prepare_for_inference(network)
    assert not batch_norms(network)


def test_a_module_that_is_called_by_keyword_is_traced_like_any_other():
    network = Network()
    network.block = CalledByKeyword()
    with same_outputs(trained(network)):
        prepare_for_inference(network)
    assert not batch_norms(network)


@pytest.mark.parametrize('block', [ReadTwice, CalledTwice])
def test_a_convolution_that_something_else_needs_too_is_left(block):
    network = Network()
    network.block = block()
    with same_outputs(trained(network)):
        prepare_for_inference(network)
    assert batch_norms(network) == ['block.bn']


def test_a_convolution_of_another_kind_is_left():
    network = Network()
    network.block.conv = Standardized(3, 3, 1)
    with same_outputs(trained(network)):
        prepare_for_inference(network)
    assert batch_norms(network) == ['block.bn']


class SharedOutOfSight(Network):
    """Its own forward cannot be traced and uses a part's convolution."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if inputs.sum() > 1e9:
            return inputs
        return self.block(inputs) + self.block.conv(inputs)


@pytest.mark.parametrize('fault, reason', [
    ('outputs', 'its outputs would change by'),
    ('not finite', 'its outputs would change by nan'),
    ('input', 'it cannot be checked on a random batch'),
])
def test_otherwise_the_network_stays_and_the_log_says_why(
        monkeypatch, fault, reason):
    lines = []
    monkeypatch.setattr(LOG, lambda line, *_: lines.append(line))
    network = SharedOutOfSight() if fault == 'outputs' else Network()
    trained(network)
    if fault == 'not finite':
        nn.init.constant_(network.block.bn.bias, float('nan'))
    if fault == 'input':
        network.block.conv = nn.Conv2d(4, 3, 3)
    before = copy.deepcopy(network.state_dict())
    prepare_for_inference(network)
    after = network.state_dict()
    assert list(after) == list(before)
    torch.testing.assert_close(
        after, before, rtol=0, atol=0, equal_nan=fault == 'not finite')
    assert after['block.conv.weight'].is_contiguous()
    line, = lines
    assert type(network).__name__ in line and reason in line
