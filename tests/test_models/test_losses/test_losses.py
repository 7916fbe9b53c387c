# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmrazor.registry import MODELS

from gld_mm.functional import binary_kl, normalized_kl, relation


@pytest.mark.parametrize('name, function',
                         [('BinaryKLLoss', binary_kl),
                          ('NormalizedKLLoss', normalized_kl),
                          ('RelationLoss', relation)])
class TestLosses:

    def test_the_module_is_the_function_times_its_weight(self, name, function):
        loss = MODELS.build(dict(type=name, loss_weight=2.5))
        student, teacher = torch.randn(2, 6, 10)
        assert loss(
            preds_S=student,
            preds_T=teacher).equal(2.5 * function(student, teacher))

    def test_leading_dimensions_are_rows(self, name, function):
        loss = MODELS.build(dict(type=name))
        student, teacher = torch.randn(2, 4, 5, 10)
        assert loss(student, teacher).equal(
            function(student.reshape(20, 10), teacher.reshape(20, 10)))


def test_the_relation_loss_of_several_sets_is_their_mean():
    student = [torch.randn(6, 10), torch.randn(2, 4, 3)]
    teacher = [torch.randn(6, 5), torch.randn(2, 4, 3)]
    expected = relation(student[0],
                        teacher[0]) + relation(*(x[1].flatten(0, 1)
                                                 for x in (student, teacher)))
    torch.testing.assert_close(
        MODELS.build(dict(type='RelationLoss'))(student, teacher),
        expected / 2)
