# Copyright (c) gld_mm authors. All rights reserved.
import copy
from types import SimpleNamespace

import pytest
import torch
from mmrazor.registry import MODELS

from gld_mm.engine.hooks import ChannelsLastHook

from ...conftest import distillation


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
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
