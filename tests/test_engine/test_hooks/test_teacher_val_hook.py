# Copyright (c) gld_mm authors. All rights reserved.
import json
from argparse import Namespace

import pytest
import torch
from mmengine.runner import Runner
from torch import nn

from gld_mm.engine.hooks import TeacherValHook

from ...conftest import classifier, distillation

pytest.importorskip('sklearn')
pytestmark = pytest.mark.filterwarnings('ignore:teacher_ckpt is None')


def runner(work_dir, model, **changes):
    data = dict(
        batch_size=32,
        num_workers=0,
        dataset=dict(
            type='NoisyDigits',
            num_samples=64,
            pipeline=[dict(type='PackInputs')]),
        sampler=dict(type='DefaultSampler', shuffle=True))
    cfg = dict(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=data,
        val_dataloader=data,
        val_evaluator=dict(type='Accuracy'),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        visualizer=dict(
            type='UniversalVisualizer',
            vis_backends=[dict(type='LocalVisBackend')]),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
        randomness=dict(seed=0),
        default_scope='mmpretrain',
        experiment_name=work_dir.name)
    cfg.update(changes)
    return Runner(**cfg)


def hooks(**kwargs):
    return dict(
        logger=dict(type='LoggerHook', interval=1),
        teacher_val=dict(type='mmrazor.TeacherValHook', **kwargs))


def scalars(work_dir):
    path = next(work_dir.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in path.read_text().splitlines()]


def gld():
    return distillation(
        architecture=classifier(num_classes=100),
        teacher=classifier(14, num_classes=100))


def test_the_teacher_is_measured_once_before_the_first_step(tmp_path):
    run = runner(tmp_path, gld(), default_hooks=hooks())
    run.train()
    log = scalars(tmp_path)
    teacher = [line for line in log if 'teacher/accuracy/top1' in line]
    assert len(teacher) == 1 and log[0] is teacher[0]

    model, hits = run.model, []
    for batch in run.val_dataloader:
        inputs = model.data_preprocessor(batch)
        with torch.no_grad():
            scores = model.teacher(inputs['inputs'])
        labels = torch.cat([s.gt_label for s in inputs['data_samples']])
        hits.append(scores.argmax(1) == labels)
    assert teacher[0]['teacher/accuracy/top1'] == pytest.approx(
        100 * torch.cat(hits).float().mean().item())


def test_it_can_be_switched_off(tmp_path):
    runner(tmp_path, gld(), default_hooks=hooks(enable=False)).train()
    assert not any('teacher' in key for line in scalars(tmp_path)
                   for key in line)


def test_training_goes_on_as_without_it(tmp_path):
    weights = []
    for name, default_hooks in (('with', hooks()), ('without',
                                                    hooks(enable=False))):
        run = runner(tmp_path / name, gld(), default_hooks=default_hooks)
        run.train()
        weights.append((run.model.state_dict(), torch.rand(3)))
    (ours, random), (theirs, same_random) = weights
    assert all(ours[k].equal(v) for k, v in theirs.items())
    assert random.equal(same_random)


def test_without_a_validation_set_nothing_is_measured(tmp_path):
    runner(
        tmp_path,
        gld(),
        default_hooks=hooks(),
        val_dataloader=None,
        val_evaluator=None,
        val_cfg=None).train()
    assert not any('teacher' in key for line in scalars(tmp_path)
                   for key in line)


def test_another_kind_of_teacher_is_left_alone():
    student = nn.Linear(1, 1)
    student.teacher = nn.Linear(1, 1)  # as in semi-supervised detectors
    hook = TeacherValHook()
    hook.before_train(Namespace(model=student, val_loop=object(), iter=0))
