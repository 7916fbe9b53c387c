# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmengine.utils import digit_version
from mmpretrain.structures import DataSample
from mmrazor.registry import MODELS

from gld_mm.engine.compile import compile_parts
from gld_mm.errors import UserError

from ..conftest import distillation

pytestmark = [
    pytest.mark.usefixtures('mmpretrain_scope'),
    pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
]


@pytest.fixture(autouse=True)
def _forget_what_was_compiled():
    yield
    torch._dynamo.reset()


def build(**changes):
    torch.manual_seed(0)
    model = MODELS.build(distillation(**changes))
    model.init_weights()
    model.train()
    return model


def compile_both(model):
    """Compile both networks; their graphs are added to a list."""
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    for network in (model, model.teacher):
        compile_parts(network, backend=backend)
    graphs.clear()  # without that of the probe
    return model, graphs


def images(count):
    samples = [DataSample().set_gt_label(i % 4) for i in range(count)]
    return torch.randn(count, 3, 16, 16), samples


def step(model, batch):
    """Losses and gradients of a step."""
    losses = model(*batch, mode='loss')
    model.parse_losses(losses)[0].backward()
    return losses, {k: p.grad for k, p in model.named_parameters()}


def test_losses_and_gradients_stay(batch):
    expected, gradients = step(build(), batch)
    model, graphs = compile_both(build())
    losses, found = step(model, batch)
    assert graphs
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(found, gradients)


def test_a_teacher_that_was_validated_before_is_recorded(batch):
    model, _ = compile_both(build())
    with torch.no_grad():
        model.teacher(*batch, mode='predict')
    expected, _ = step(build(), batch)
    losses, _ = step(model, batch)
    torch.testing.assert_close(losses, expected)


def test_weights_keep_their_names():
    plain = build()
    names = list(plain.state_dict())
    assert list(compile_both(plain)[0].state_dict()) == names


@pytest.mark.skipif(
    digit_version(torch.__version__) < digit_version('2.2'),
    reason='PyTorch 2.1 cannot trace ResNet with dynamic shapes')
def test_a_last_smaller_batch_is_not_compiled_again():
    model, graphs = compile_both(build())
    for _ in range(2):  # the first step finds the feature maps
        step(model, images(32))
    compiled = len(graphs)
    for count in (20, 17, 32):
        step(model, images(count))
    assert len(graphs) == compiled > 0


def test_the_teacher_can_be_compiled_alone(monkeypatch):
    compiled = []
    monkeypatch.setattr(
        'gld_mm.models.algorithms.frozen_teacher_distill.compile_parts',
        compiled.append)
    model = build(compile_teacher=True)
    assert compiled == [model.teacher]


def test_where_nothing_can_be_compiled_one_line_says_so():

    def backend(graph, inputs):
        raise RuntimeError('no C++ compiler')

    with pytest.raises(
            UserError,
            match=r'^torch.compile does not work here '
            r'\(.*no C\+\+ compiler.*\): install .* g\+\+, or '
            'leave out "compile".$'):
        compile_parts(build(), backend=backend)
