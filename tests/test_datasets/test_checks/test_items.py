# Copyright (c) gld_mm authors. All rights reserved.
import pytest

from gld_mm.datasets.checks.items import pick_evenly


@pytest.mark.parametrize('count, picked', [
    (None, [0, 1, 2, 3, 4, 5]),
    (9, [0, 1, 2, 3, 4, 5]),
    (6, [0, 1, 2, 3, 4, 5]),
    (3, [0, 2, 4]),
    (1, [0]),
])
def test_items_are_picked_evenly(count, picked):
    assert pick_evenly(range(6), count) == picked
