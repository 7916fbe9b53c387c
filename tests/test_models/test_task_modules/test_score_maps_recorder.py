# Copyright (c) gld_mm authors. All rights reserved.
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
