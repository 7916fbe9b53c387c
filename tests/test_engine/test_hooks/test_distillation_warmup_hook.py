# Copyright (c) gld_mm authors. All rights reserved.
from types import SimpleNamespace

import pytest
from mmengine.hooks import Hook

from gld_mm.engine.hooks import DistillationWarmupHook

from .test_teacher_val_hook import gld, runner

pytestmark = pytest.mark.filterwarnings('ignore:teacher_ckpt is None')


def weight(iteration, part):
    """The weight before an iteration of a run of 40."""
    model = SimpleNamespace()
    DistillationWarmupHook(part).before_train_iter(
        SimpleNamespace(iter=iteration, max_iters=40, model=model), 0)
    return model.distillation_weight


def test_the_weight_rises_from_zero_to_one_and_stays():
    found = [weight(iteration, 0.1) for iteration in range(6)]
    assert found == [0, 0.25, 0.5, 0.75, 1, 1]
    assert weight(39, 1.) == 39 / 40


@pytest.mark.parametrize('part', [0, -0.1, 1.1, 20])
def test_a_part_that_is_none_is_an_error(part):
    with pytest.raises(ValueError, match=r'part should be in \(0, 1\]'):
        DistillationWarmupHook(part)


class Weights(Hook):
    """Note the weight of each iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.seen = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen.append(runner.model.distillation_weight)


def test_a_resumed_run_goes_on_where_it_was(tmp_path, mmpretrain_scope):
    # Two epochs of two iterations
    settings = dict(
        train_cfg=dict(by_epoch=True, max_epochs=2),
        custom_hooks=[dict(type='DistillationWarmupHook', part=1.)])
    whole = runner(tmp_path / 'whole', gld(), **settings)
    whole.register_hook(notes := Weights())
    whole.train()
    assert notes.seen == [0, 0.25, 0.5, 0.75]
    resumed = runner(
        tmp_path / 'resumed',
        gld(),
        resume=True,
        load_from=str(tmp_path / 'whole' / 'epoch_1.pth'),
        **settings)
    resumed.register_hook(notes := Weights())
    resumed.train()
    assert notes.seen == [0.5, 0.75]
