# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmrazor.registry import MODELS

from gld_mm.errors import UserError


def connector(cls_out_channels):
    return MODELS.build(
        dict(type='DenseRowConnector', cls_out_channels=cls_out_channels))


def test_each_position_and_anchor_is_a_row_of_classes():
    # Two anchors of three classes on 1x2 positions: the number says anchor,
    # class and column.
    score = torch.tensor([[[[100. * a + 10 * k + x for x in range(2)]]
                           for a in range(2) for k in range(3)]])
    rows = connector(3)([score.squeeze(2)])
    assert rows.tolist() == [[0, 10, 20], [1, 11, 21], [100, 110, 120],
                             [101, 111, 121]]


def test_levels_follow_each_other():
    levels = [torch.randn(2, 6, 4, 4), torch.randn(2, 9, 1, 1)]
    rows = connector(3)(levels)
    assert rows.shape == (2 * 2 * 16 + 2 * 3, 3)
    assert rows[-1].equal(levels[1][1, 6:, 0, 0])


def test_a_map_of_other_classes_is_an_error():
    with pytest.raises(
            UserError, match='80 score channels are not a multiple .*=21'):
        connector(21)([torch.randn(1, 80, 4, 4)])
