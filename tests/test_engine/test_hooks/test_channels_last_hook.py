# Copyright (c) gld_mm authors. All rights reserved.
import copy
from types import SimpleNamespace

import pytest
import torch
from mmrazor.registry import MODELS
from torch import nn

from gld_mm.engine.hooks import ChannelsLastHook

from ...conftest import distillation


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
@pytest.mark.filterwarnings('ignore:.*in the channels-last format')
def test_losses_and_gradients_are_the_same(mmpretrain_scope, batch):
    torch.manual_seed(0)
    model = MODELS.build(distillation()).double()
    other = copy.deepcopy(model)
    ChannelsLastHook().before_run(SimpleNamespace(model=other))
    images, samples = batch
    seen = []
    for network in (other, other.teacher):
        network.backbone.register_forward_hook(lambda *args: seen.append(args[
            2][0].is_contiguous(memory_format=torch.channels_last)))
    for network in (other, model):  # The first looks for the feature maps.
        network.loss(images.double(), samples)
    seen.clear()
    ours, theirs = (
        m.parse_losses(m.loss(images.double(), samples))
        for m in (other, model))
    # The teacher, which both share, runs for either of them.
    assert seen == [True, True, True]
    for name, value in theirs[1].items():
        torch.testing.assert_close(ours[1][name], value)
    ours[0].backward(), theirs[0].backward()
    for a, b in zip(other.parameters(), model.parameters()):
        torch.testing.assert_close(a.grad, b.grad)


def test_a_convolution_that_a_cpu_trains_wrongly_is_named():
    model = nn.Sequential(
        nn.Conv2d(8, 4, 1, stride=2), nn.Conv2d(4, 4, 1),
        nn.Conv2d(4, 8, 3, stride=2), nn.Conv2d(4, 8, 1, stride=2))
    with pytest.warns(UserWarning) as found:
        ChannelsLastHook().before_run(SimpleNamespace(model=model))
    warning, = found
    assert str(warning.message).startswith('3 takes 4 channels: ')
