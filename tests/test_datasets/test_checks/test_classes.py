# Copyright (c) gld_mm authors. All rights reserved.
import pytest

from gld_mm.datasets.checks.classes import describe_conflict


def conflict(ours, theirs):
    return describe_conflict(ours, theirs, 'A', 'B')


@pytest.mark.parametrize('ours, theirs', [
    (('cat', 'dog'), ('cat', 'dog')),
    (['cat', 'dog'], ('cat', 'dog')),
    (('cat', 'dog'), ('cats', 'dogs')),
    (('cat', 'dog'), None),
    (None, ('cat', 'dog')),
    (('crane', 'cat', 'crane'), ('crane', 'cat', 'crane')),
])
def test_labels_that_mean_the_same_are_no_conflict(ours, theirs):
    assert conflict(ours, theirs) == ''


def test_a_shifted_list_is_a_conflict():
    ours = [f'class_{i:02}' for i in range(10)]
    assert conflict(ours, [
        *ours[1:], 'zebra'
    ]) == ('B has other classes: "class_01" is label 1 of A and label 0 of B.')


def test_another_order_is_called_that():
    assert conflict(('a', 'b', 'c'), ('a', 'c', 'b')) == (
        'B has the same classes in another order: "b" is label 1 of A and '
        'label 2 of B.')
