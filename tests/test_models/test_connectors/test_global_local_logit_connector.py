# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmrazor.registry import MODELS
from torch import nn

from gld_mm.functional import global_local_logits


def connector(**kwargs):
    return MODELS.build(dict(type='GlobalLocalLogitConnector', **kwargs))


def test_it_takes_a_feature_map_and_a_classifier():
    feature, fc = torch.randn(2, 5, 8, 8), nn.Linear(5, 7)
    assert connector(grid=(2, 4))(feature, fc).equal(
        global_local_logits(feature, fc, (2, 4)))


def test_it_takes_the_pair_that_the_recorder_records():
    outputs, fc = (torch.randn(2, 3, 8, 8), torch.randn(2, 5, 4,
                                                        4)), nn.Linear(5, 7)
    assert connector()(
        (outputs, fc)).equal(global_local_logits(outputs[-1], fc, (2, 2)))


def test_maps_of_different_size_give_logits_of_the_same_shape():
    fc = nn.Linear(5, 7)
    small, large = torch.randn(2, 5, 4, 4), torch.randn(2, 5, 9, 6)
    assert connector(grid=3)(small, fc).shape == connector(grid=3)(
        large, fc).shape == (2, 10, 7)


def test_fixed_kernel_is_passed_on():
    feature = torch.randn(1, 5, 7, 7)
    assert connector(fixed_kernel=True)(feature, nn.Identity()).equal(
        global_local_logits(feature, nn.Identity(), (2, 2), True))


def test_it_has_no_parameters_of_its_own():
    assert not list(connector().parameters())


def test_a_grid_of_zero_is_an_error():
    with pytest.raises(ValueError, match='at least 1, got 0'):
        connector(grid=0)
