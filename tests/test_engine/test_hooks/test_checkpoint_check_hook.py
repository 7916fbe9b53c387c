# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmengine.runner import save_checkpoint
from mmpretrain.registry import MODELS

from gld_mm.errors import UserError

from ...conftest import classifier
from .test_teacher_val_hook import runner

pytest.importorskip('sklearn')
HOOK = [dict(type='CheckpointCheckHook')]


@pytest.fixture
def other(tmp_path, mmpretrain_scope):
    """A checkpoint of a network of other classes."""
    path = tmp_path / 'other.pth'
    torch.manual_seed(0)
    weights = MODELS.build(classifier(num_classes=10)).state_dict()
    save_checkpoint(
        dict(
            state_dict=weights,
            meta=dict(epoch=0, iter=0),
            message_hub=dict(),
            optimizer=dict()), str(path))
    return str(path)


def make(folder, load_from, **changes):
    return runner(
        folder / 'run',
        classifier(num_classes=100),
        custom_hooks=HOOK,
        load_from=load_from,
        **changes)


def test_a_checkpoint_of_other_classes_is_not_resumed(tmp_path, other):
    with pytest.raises(UserError, match='other.pth" is of other classes: 2 '):
        make(tmp_path, other, resume=True).train()


@pytest.mark.parametrize('loops', ['all', 'test'])
def test_it_is_not_tested_either(tmp_path, other, loops):
    data = runner(tmp_path / 'x', classifier())._val_dataloader
    changes = dict(
        test_dataloader=data,
        test_cfg=dict(),
        test_evaluator=dict(type='Accuracy'))
    if loops == 'test':  # a config without a training
        changes.update(
            train_dataloader=None, train_cfg=None, optim_wrapper=None)
    with pytest.raises(UserError, match='other.pth" is of other classes: 2 '):
        make(tmp_path, other, **changes).test()


def test_fine_tuning_may_start_from_it(tmp_path, other):
    made = make(tmp_path, other)
    expected = torch.load(
        other, weights_only=True)['state_dict']['backbone.conv1.weight']
    seen = []
    made.register_hook(dict(type='ParamSchedulerHook'))
    made.hooks[0].before_train = lambda runner: seen.append(
        runner.model.backbone.conv1.weight.clone())
    made.train()
    assert seen[0].equal(expected) and made.epoch == 1


def test_a_run_resumes_from_its_own(tmp_path):
    make(tmp_path, None).train()
    again = make(
        tmp_path,
        str(tmp_path / 'run/epoch_1.pth'),
        resume=True,
        train_cfg=dict(by_epoch=True, max_epochs=2),
        experiment_name='again')
    again.train()
    assert again.epoch == 2
