# Copyright (c) gld_mm authors. All rights reserved.
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gld_mm.engine import hooks
from gld_mm.engine.hooks import EpochSeedHook


def draw(seed, epoch):
    EpochSeedHook().before_train_epoch(SimpleNamespace(seed=seed, epoch=epoch))
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_a_resumed_epoch_draws_what_the_uninterrupted_one_drew():
    first = [draw(3, epoch) for epoch in range(3)]
    assert draw(3, 2) == first[2]


def test_epochs_seeds_and_generators_differ():
    numbers = {
        number
        for seed in (0, 1)
        for epoch in (0, 1)
        for number in draw(seed, epoch)
    }
    assert len(numbers) == 2 * 2 * 3


def test_ranks_differ(monkeypatch):
    own = draw(0, 0)
    monkeypatch.setattr(hooks.epoch_seed_hook, 'get_rank', lambda: 1)
    assert draw(0, 0) != own


@pytest.mark.parametrize('seed', [0, 2**31 - 1])
def test_any_seed_of_mmengine_will_do(seed):
    draw(seed, 1000)
