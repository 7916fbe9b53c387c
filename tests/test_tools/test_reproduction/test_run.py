# Copyright (c) gld_mm authors. All rights reserved.
import json

import pytest
import torch
from mmengine.config import Config

from gld_mm.errors import UserError
from reproduction import Run, read_curves
from reproduction.run import shorten


def test_its_config_has_seed_folder_options_and_the_teachers_weights(lab):
    run, = lab.runs(3)
    assert run.cfg.randomness.seed == 3
    assert run.cfg.model.distiller.beta == 0
    assert run.cfg.work_dir == str(lab.folder / 'x_gld_seed3_4e')
    assert run.cfg.model.teacher_ckpt == str(
        lab.folder / 'x_teacher_seed0_4e' / 'epoch_4.pth')


def test_a_shorter_run_scales_the_schedule(lab):
    run, = lab.runs(0)
    assert run.cfg.train_cfg.max_epochs == 4
    assert run.cfg.param_scheduler.milestones == [2, 3]


def test_the_whole_run_is_that_of_the_config(lab):
    run = Run(lab.teacher, 0, lab.folder, lab.root)
    assert (run.epochs, run.full_epochs) == (8, 8)
    assert run.cfg.param_scheduler.milestones == [4, 6]


def test_a_shortened_rate_drops_after_the_first_epoch_at_the_earliest():
    cfg = Config(
        dict(
            train_cfg=dict(max_epochs=100),
            param_scheduler=dict(type='MultiStepLR', milestones=[1, 50])))
    shorten(cfg, 20)
    assert cfg.param_scheduler.milestones == [1, 10]
    assert cfg.train_cfg.max_epochs == 20


def test_a_schedule_is_not_made_longer(lab):
    run = Run(lab.teacher, 0, lab.folder, lab.root, epochs=150)
    assert (run.epochs, run.shortened) == (8, False)


def test_the_time_of_a_validation_is_none_of_a_step(tmp_path):
    log = tmp_path / 'scalars.json'
    log.write_text('{"time": 0.3, "iter": 2, "step": 2}\n'
                   '{"time": 9.0, "step": 1}\n')
    assert read_curves(log) == dict(
        iter={2: 2}, step={
            2: 2,
            1: 1
        }, time={2: .3})


def test_a_data_config_replaces_what_it_names(lab):
    data = lab.root / 'data.py'
    data.write_text('train_dataloader = dict(other=1)\nextra = 2\n')
    run = Run(lab.teacher, 0, lab.folder, lab.root, data=str(data))
    assert run.cfg.train_dataloader == dict(other=1)
    assert run.cfg.extra == 2


@pytest.mark.parametrize('key', ['model', 'param_scheduler', 'train_cfg'])
def test_a_data_config_with_a_recipe_of_its_own_is_refused(lab, key):
    data = lab.root / 'data.py'
    data.write_text(f'{key} = dict(other=1)\n')
    with pytest.raises(UserError, match=f'sets {key}, .*part of the recipe'):
        Run(lab.teacher, 0, lab.folder, lab.root, data=str(data))


def test_a_data_config_that_is_missing_is_one_line(lab):
    with pytest.raises(UserError, match='none.py cannot be read'):
        Run(lab.teacher, 0, lab.folder, lab.root, data='none.py')


def test_the_fingerprint_is_that_of_config_and_teacher(lab):
    first, second = lab.runs(0, 1)
    assert first.fingerprint == second.fingerprint
    moved = Run(lab.teacher, 0, lab.root / 'elsewhere', lab.root)
    assert moved.fingerprint == Run(lab.teacher, 0, lab.folder,
                                    lab.root).fingerprint
    shorter, = lab.runs(0, teacher_epochs=2)
    assert shorter.fingerprint != first.fingerprint
    assert lab.runs(0, epochs=3)[0].fingerprint != first.fingerprint


def test_what_builds_on_a_shortened_run_is_shortened(lab):
    whole, = lab.runs(0, epochs=8)
    assert not whole.shortened
    assert lab.runs(0, epochs=8, teacher_epochs=2)[0].shortened
    assert lab.runs(0, epochs=4, teacher_epochs=8)[0].shortened


def log(run, time, lines):
    folder = run.work_dir / time / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text('\n'.join(lines))


def test_the_curve_has_one_accuracy_an_epoch_over_interruptions(lab):
    run, = lab.runs(0)
    assert run.curve() == []

    def line(top1, step):
        return json.dumps({'accuracy/top1': top1, 'step': step})

    log(run, '20260101_000000',
        ['{"loss": 1.0, "step": 3}',
         line(10., 1), line(20., 2)])
    log(run, '20260102_000000', [line(21., 2), line(30., 3), '{"accur'])
    assert run.curve() == [10., 21., 30.]


def test_a_checkpoint_without_accuracy_is_dropped(lab):
    run, = lab.runs(0)
    log(run, '20260101_000000', ['{"accuracy/top1": 1.0, "step": 1}'])
    for epoch in (1, 2):
        (run.work_dir / f'epoch_{epoch}.pth').touch()
    run.drop_unvalidated_checkpoints()
    assert [p.name for p in run.work_dir.glob('*.pth')] == ['epoch_1.pth']


def test_logs_without_a_checkpoint_are_set_aside(lab):
    run, = lab.runs(0)
    log(run, '20260101_000000', ['{"accuracy/top1": 1.0, "step": 1}'])
    run.drop_unvalidated_checkpoints()
    assert run.curve() == []
    assert list(run.work_dir.glob('*/vis_data/scalars.old'))


def test_a_cut_off_checkpoint_is_not_the_end_of_a_run(lab):
    run, = lab.runs(0)
    log(run, '20260101_000000', [
        json.dumps({
            'accuracy/top1': 1.,
            'step': step
        }) for step in range(1, 5)
    ])
    torch.save(dict(state_dict=dict(w=torch.ones(1000))), run.checkpoint)
    assert run.is_finished
    run.checkpoint.write_bytes(run.checkpoint.read_bytes()[:2000])
    assert not run.is_finished


def test_a_line_that_a_kill_cut_off_is_left_out(lab):
    run, = lab.runs(0)
    log(run, '20260101_000000',
        ['{"step": 1, "loss": 2.5}', '{"st', '{"step": 2, "loss": 2.0}', '{'])
    assert read_curves(run.work_dir)['loss'] == {1: 2.5, 2: 2.}


def test_a_second_training_in_a_folder_replaces_the_first_from_its_start(lab):
    run, = lab.runs(0)
    log(run, '20260101_000000',
        [f'{{"step": {n}, "top1": 90}}' for n in range(1, 6)])
    log(run, '20260102_000000', ['{"step": 3, "top1": 20}'])
    assert read_curves(run.work_dir)['top1'] == {1: 90, 2: 90, 3: 20}
    log(run, '20260103_000000',
        [f'{{"step": {n}, "top1": 10}}' for n in range(1, 3)])
    assert read_curves(run.work_dir)['top1'] == {1: 10, 2: 10}
