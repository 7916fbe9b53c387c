# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmrazor.registry import MODELS
from torch import nn

from gld_mm.errors import UserError
from gld_mm.functional import global_local_logits


def connector(cls_out_channels, **kwargs):
    return MODELS.build(
        dict(
            type='DenseLogitConnector',
            cls_out_channels=cls_out_channels,
            **kwargs))


def test_a_map_worked_out_by_hand():
    # Two anchors of two classes on 2x4 positions. Channels of a head are
    # anchor 0 class 0, anchor 0 class 1, anchor 1 class 0, anchor 1 class 1.
    score = torch.tensor([
        [[0., 2., 4., 6.], [0., 2., 4., 6.]],
        [[1., 1., 1., 1.], [3., 3., 3., 3.]],
        [[8., 0., 0., 0.], [0., 0., 0., 0.]],
        [[0., 0., 0., 0.], [0., 0., 0., -8.]],
    ])[None]
    first, second = connector(2)([score])
    # Global; top left, top right, bottom left, bottom right.
    assert first[0].tolist() == [[3., 2.], [1., 1.], [5., 1.], [1., 3.],
                                 [5., 3.]]
    assert second[0].tolist() == [[1., -1.], [4., 0.], [0., 0.], [0., 0.],
                                  [0., -4.]]


def test_levels_of_several_sizes_and_anchors_each_have_their_own_logits():
    # As in SSD: fewer positions and another number of anchors a level.
    shapes = [(4, 5, 5), (6, 3, 2), (2, 1, 1)]
    levels = [torch.randn(2, a * 3, h, w) for a, h, w in shapes]
    logits = connector(3)(levels)
    assert [tuple(x.shape)
            for x in logits] == [(2, 5, 3)] * 10 + [(2, 1, 3)] * 2
    # The second anchor of the second level, its bottom right cell of a 3x2
    # map: rows 1 and 2 (pooled adaptively), column 1, channels 3 to 5.
    expected = levels[1][:, 3:6, 1:, 1:].mean((2, 3))
    torch.testing.assert_close(logits[5][:, 4], expected)
    # The last level is smaller than the grid: its only position.
    assert logits[11][:, 0].equal(levels[2][:, 3:, 0, 0])


@pytest.mark.parametrize('grid', [1, 2, (3, 2)])
def test_pooled_scores_of_a_convolution_are_the_local_logits_of_the_paper(
        grid):
    feature = torch.randn(2, 5, 7, 6)
    conv = nn.Conv2d(5, 4, 1)
    fc = nn.Linear(5, 4)
    fc.weight.data, fc.bias.data = conv.weight.data[..., 0, 0], conv.bias.data
    pooled, = connector(4, grid=grid)([conv(feature)])
    size = grid if isinstance(grid, tuple) else (grid, grid)
    torch.testing.assert_close(pooled, global_local_logits(feature, fc, size))


def test_a_map_of_other_classes_is_an_error():
    with pytest.raises(
            UserError, match='80 score channels are not a multiple .*=21'):
        connector(21)([torch.randn(1, 80, 4, 4)])


@pytest.mark.parametrize('grid', [0, (2, 0)])
def test_an_empty_grid_is_an_error(grid):
    with pytest.raises(UserError, match='at least 1'):
        connector(3, grid=grid)


def test_ignored_pixels_are_left_out_by_hand():
    # One class map of 2x4 positions, each of 2x1 pixels. Not labelled are one
    # of the two pixels of the first position, and the whole second column.
    scores = torch.tensor([[[8., 100., 1., 3.], [2., 100., 5., 7.]],
                           [[0., -99., 1., 1.], [1., -99., 1., 1.]]])[None]
    labelled = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    labelled[..., 1] = labelled[..., 0, 0] = False
    (logits, ), _ = connector(2).pool_weighted([scores], [labelled])
    # Weights of the first column 1/2 and 1, of the second none.
    assert logits[0, :, 0].tolist() == pytest.approx([(4 + 2 + 16) / 5.5, 8, 2,
                                                      2, 6])
    assert logits[0, :, 1].tolist() == pytest.approx([5 / 5.5, 0, 1, 1, 1])


def test_ignored_pixels_get_no_gradient():
    scores = torch.randn(2, 3, 6, 5, requires_grad=True)
    labelled = torch.rand(2, 1, 6, 5) < 0.5
    (logits, ), _ = connector(3).pool_weighted([scores], [labelled])
    logits.square().sum().backward()
    assert (scores.grad.abs().sum(1, keepdim=True) > 0).equal(labelled)


def test_a_mask_says_which_cells_have_a_label_and_the_others_are_zero():
    labelled = torch.ones(2, 1, 8, 8, dtype=torch.bool)
    labelled[0, :, :4, 4:] = labelled[1] = False
    (logits, ), (mask, ) = connector(3).pool_weighted(
        [torch.randn(2, 3, 8, 8)], [labelled])
    assert mask[0].tolist() == [True, True, False, True, True]
    assert not mask[1].any()
    assert logits.any(-1).equal(mask)


def test_each_anchor_has_the_mask_of_its_level():
    labelled = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    labelled[..., 0] = True
    levels = [torch.randn(1, 6, 4, 4), torch.randn(1, 3, 1, 1)]
    logits, masks = connector(3).pool_weighted(levels, 2 * [labelled])
    half = [True, True, False, True, False]
    assert [m.tolist() for m in masks] == [[half], [half], [[True]]]
    assert [x.shape[:2] for x in logits] == [m.shape for m in masks]


def test_labelled_cells_may_have_logits_of_zero():
    everything = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    _, (mask, ) = connector(3).pool_weighted([torch.zeros(1, 3, 4, 4)],
                                             [everything])
    assert mask.all()


def test_all_labelled_is_as_without_labels_at_any_size():
    levels = [torch.randn(2, 6, 5, 5), torch.randn(2, 3, 1, 1)]
    everything = torch.ones(2, 1, 17, 23, dtype=torch.bool)
    logits, masks = connector(3).pool_weighted(levels, 2 * [everything])
    torch.testing.assert_close(logits, connector(3)(levels))
    assert all(mask.all() for mask in masks)


def test_each_anchor_and_level_has_its_own_weights_by_hand():
    # One class, two anchors on a row of two positions, then one on one.
    levels = [
        torch.tensor([[[[1., 5.]], [[2., 4.]]]]),
        torch.tensor([[[[7.]]]])
    ]
    weights = [
        torch.tensor([[[[0.5, 1.5]], [[0., 0.]]]]),
        torch.tensor([[[[0.1]]]])
    ]
    made = connector(1, grid=(1, 2))
    logits, weigh = made.pool_weighted(levels, weights)
    assert [x[0, :, 0].tolist() for x in logits] == [[4., 1., 5.],
                                                     [0., 0., 0.],
                                                     [pytest.approx(7.)]]
    assert [x[0].tolist() for x in weigh] == [[True] * 3, [False] * 3, [True]]
