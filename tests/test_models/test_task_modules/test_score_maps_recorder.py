# Copyright (c) gld_mm authors. All rights reserved.
import copy

import pytest
import torch
from mmrazor.registry import TASK_UTILS
from torch import nn

from gld_mm.errors import UserError


class Network(nn.Module):

    def __init__(self):
        super().__init__()
        self.levels = nn.ModuleList([nn.Conv2d(1, 2, 1), nn.Conv2d(1, 3, 1)])
        self.conv_seg = nn.Conv2d(1, 4, 1)

    def forward(self, x):
        return [level(x) for level in self.levels] + [self.conv_seg(x)]


def recorder(source, network):
    made = TASK_UTILS.build(dict(type='ScoreMapsRecorder', source=source))
    made.initialize(network)
    return made


@pytest.mark.parametrize('source, outputs', [('levels', slice(0, 2)),
                                             ('conv_seg', slice(2, 3))])
def test_it_records_the_map_of_each_level(source, outputs):
    network = Network()
    made = recorder(source, network)
    network(torch.randn(1, 1, 2, 2))  # not while recording
    for _ in range(2):
        with made:
            expected = network(torch.randn(1, 1, 2, 2))[outputs]
        recorded = made.get_record_data()
        assert len(recorded) == len(expected)
        assert all(a is b for a, b in zip(recorded, expected))


def test_a_name_that_is_none_is_an_error():
    with pytest.raises(UserError, match='Network has no module "bbox_head"'):
        recorder('bbox_head', Network())


class Head(nn.Module):
    """Scores of two levels by one convolution, and a factor for each."""

    def __init__(self):
        super().__init__()
        self.cls = nn.Conv2d(1, 2, 1)
        self.factor = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        levels = [x, x[..., ::2]]
        boxes = [level.expand(-1, 4, -1, -1) for level in levels]
        return ([self.cls(level) for level in levels], boxes,
                [self.factor(level) for level in levels])


class Detector(nn.Module):

    def __init__(self, output=slice(None)):
        super().__init__()
        self.neck = nn.Identity()
        self.bbox_head = Head()
        self.output = output

    def forward(self, x, mode='tensor'):
        return self.bbox_head.forward(self.neck(x))[self.output]


class Scaled(Head):
    """Outputs that are worked out of those of modules, as YOLOF's."""

    def forward(self, x):
        return tuple([2 * level for level in part]
                     for part in super(Scaled, self).forward(x))


class Segmenter(nn.Module):
    """Scores that no module outputs, as those of masks of the classes."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Identity()
        self.decode_head = nn.Conv2d(1, 3, 1)
        self.decode_head.forward = lambda x: 2 * x.expand(-1, 3, -1, -1)

    def forward(self, x, mode='tensor'):
        return self.decode_head.forward(self.backbone(x))


def found(model, x, **kwargs):
    made = TASK_UTILS.build(dict(type='ScoreMapsRecorder', **kwargs))
    made.initialize(model)
    for _ in range(2):
        with made:
            output = model(x)
    return made.get_record_data(), output


@pytest.mark.parametrize('part', [0, 2])
def test_it_finds_the_scores_or_the_centerness_of_each_level(part):
    recorded, output = found(Detector(), torch.randn(3, 1, 4, 4), part=part)
    assert len(recorded) == 2
    assert all(a is b for a, b in zip(recorded, output[part]))


def test_a_head_without_centerness_has_none():
    recorded, _ = found(Detector(slice(2)), torch.randn(3, 1, 4, 4), part=2)
    assert recorded == []


def test_scores_that_no_module_outputs_are_those_of_the_head():
    (recorded, ), output = found(Segmenter(), torch.randn(3, 1, 4, 4))
    assert recorded is output


@pytest.mark.parametrize('part', [0, 2])
def test_scores_that_no_module_of_a_detector_outputs_are_those_of_its_head(
        part):
    network = Detector()
    network.bbox_head = Scaled()
    recorded, output = found(network, torch.randn(3, 1, 4, 4), part=part)
    assert len(recorded) == 2
    assert all(a is b for a, b in zip(recorded, output[part]))


def test_a_copy_of_the_network_has_its_own_head():
    network = Detector()
    network.bbox_head = Scaled()
    x = torch.randn(3, 1, 4, 4)
    _, expected = found(network, x)
    other = copy.deepcopy(network)
    for parameter in network.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(other(x)[0], expected[0])


def test_finding_leaves_the_network_as_it_was():
    network = Detector()
    network.neck = nn.BatchNorm2d(1)
    network.train()
    found(network, torch.randn(3, 1, 4, 4))
    assert network.training and network.neck.training
    assert network.neck.num_batches_tracked == 2  # and not three


def test_a_network_that_outputs_no_maps_is_one_line():
    network = Detector(0)
    network.bbox_head.forward = lambda x: (x.mean((2, 3)), )
    with pytest.raises(
            UserError,
            match=r'The student, a Detector, outputs a tensor \(2, 1\) for '
            r'images alone; GLD needs maps of class scores'):
        found(network, torch.randn(3, 1, 4, 4), network='student')
