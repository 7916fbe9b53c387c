# Copyright (c) gld_mm authors. All rights reserved.
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gld_mm.engine import hooks
from gld_mm.engine.hooks import EpochSeedHook

from ...conftest import classifier
from .test_teacher_val_hook import runner


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


def test_without_a_seed_a_resumed_run_shuffles_as_the_first(
        tmp_path, mmpretrain_scope):
    model = classifier(num_classes=100)
    settings = dict(
        randomness=dict(seed=None), custom_hooks=[dict(type='EpochSeedHook')])
    first = runner(tmp_path / 'first', model, **settings)
    first.train()
    again = runner(
        tmp_path / 'again',
        model,
        resume=True,
        load_from=str(tmp_path / 'first' / 'epoch_1.pth'),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        **settings)
    again.train()
    assert again.train_dataloader.sampler.seed == first.seed
    assert list(again.train_dataloader.sampler) == shuffled(first, epoch=1)


def shuffled(run, epoch):
    run.train_dataloader.sampler.set_epoch(epoch)
    return list(run.train_dataloader.sampler)
