# Copyright (c) gld_mm authors. All rights reserved.
import os
import signal
import time
from collections import namedtuple
from multiprocessing import get_context

import pytest

from gld_mm.errors import UserError
from reproduction import scheduler


@pytest.mark.parametrize('jobs', [1, 3])
def test_a_missing_teacher_is_trained_first_and_once(lab, jobs):
    assert lab.execute(lab.runs(0, 1), jobs) == []
    assert set(lab.results()) == {('x/teacher', 0), ('x/gld', 0), ('x/gld', 1)}
    assert lab.starts('x_teacher_seed0_4e') == ['0']
    assert 'x_gld_seed1_4e: 4 epochs, top-1 41.00%' in lab.screen.getvalue()


def test_a_run_that_another_call_trained_otherwise_is_no_result(lab):
    ours, = lab.runs(0)
    ours.check_unchanged()
    theirs, = lab.runs(0, teacher_epochs=2)  # begun meanwhile
    lab.execute([theirs])
    theirs.result.unlink()
    training = scheduler._finish(ours, lab.train, 1, 0, failures := {})
    assert 'the teacher has changed since' in next(training)
    assert list(failures) == [ours.name] and not ours.result.exists()


def test_what_is_finished_is_not_run_again(lab):
    run, = lab.runs(0)
    lab.execute([run])
    before = run.result.stat().st_mtime_ns
    assert lab.execute([run]) == []
    assert run.result.stat().st_mtime_ns == before
    assert lab.starts('x_gld_seed0_4e') == ['0']


def test_a_lost_result_is_read_from_its_run_without_training(lab):
    run, = lab.runs(0)
    lab.execute([run])
    before = run.result.read_text()
    run.result.unlink()
    lab.execute([run])
    assert run.result.read_text() == before
    assert lab.starts(run.name) == ['0']


def test_an_interrupted_run_goes_on_from_its_last_validated_epoch(lab):
    run, = lab.runs(0)
    lab.execute([run])
    # As if killed after the third checkpoint, before its validation.
    run.result.unlink()
    run.checkpoint.unlink()
    log = next(run.work_dir.glob('*/vis_data/*.json'))
    log.write_text('\n'.join(log.read_text().splitlines()[:2]) + '\n')
    assert lab.execute([run]) == []
    assert lab.starts(run.name) == ['0', '2']
    assert lab.results()['x/gld', 0]['curve'] == [10., 20., 30., 40.]


def test_a_teacher_whose_weights_are_gone_is_trained_again_if_needed(lab):
    lab.execute(lab.runs(0))
    teacher = lab.runs(0)[0].depends_on
    teacher.checkpoint.unlink()
    lab.execute(lab.runs(0))
    assert lab.starts(teacher.name) == ['0']
    lab.execute(lab.runs(1))
    assert lab.starts(teacher.name) == ['0', '3']


def test_a_failed_run_says_why_and_does_not_stop_others(lab):
    runs = lab.runs(0, 1)
    runs[0].work_dir.mkdir(parents=True)
    (runs[0].work_dir / 'FAIL').touch()
    failure, = lab.execute(runs)
    assert failure.startswith(
        'x_gld_seed0_4e failed: ValueError: [/data] "x" is wrong (the log: ')
    assert failure in lab.screen.getvalue()
    assert set(lab.results()) == {('x/teacher', 0), ('x/gld', 1)}


def test_a_full_disk_is_named_whatever_the_log_says(lab, monkeypatch):
    run, = lab.runs(0)
    run.depends_on.work_dir.mkdir(parents=True)
    (run.depends_on.work_dir / 'FAIL').touch()
    usage = namedtuple('usage', 'free')(1000)
    monkeypatch.setattr(scheduler.shutil, 'disk_usage', lambda path: usage)
    failure, _ = lab.execute([run])
    assert f'the disk of {run.depends_on.work_dir} is full' in failure


def test_a_folder_that_cannot_be_written_fails_its_run_only(lab):
    runs = lab.runs(0, 1)
    runs[0].work_dir.write_text('a file where a folder should be')
    failure, = lab.execute(runs)
    assert failure.startswith('x_gld_seed0_4e failed: [Errno 17] File exists')
    assert set(lab.results()) == {('x/teacher', 0), ('x/gld', 1)}


def test_without_its_teacher_a_student_is_not_run(lab):
    run, = lab.runs(0)
    run.depends_on.work_dir.mkdir(parents=True)
    (run.depends_on.work_dir / 'FAIL').touch()
    failures = lab.execute([run])
    assert failures[1] == 'x_gld_seed0_4e failed: it depends on ' \
                          'x_teacher_seed0_4e'
    assert lab.starts(run.name) == []


def test_teachers_run_first_and_each_run_is_listed_once(lab):
    one, two = lab.runs(0, 1)
    ordered = scheduler.with_dependencies([one, one.depends_on, two])
    assert [run.name for run in ordered
            ] == ['x_teacher_seed0_4e', 'x_gld_seed0_4e', 'x_gld_seed1_4e']


@pytest.mark.parametrize('seed, finished', [(0, True), (0, False), (1, True)])
def test_a_config_that_changed_is_an_error_and_loses_nothing(
        lab, seed, finished):
    run, = lab.runs(0)
    lab.execute([run])
    if not finished:
        run.result.unlink()
    config = lab.root / 'student.py'
    config.write_text(config.read_text() + 'extra = 1\n')
    with pytest.raises(UserError, match='student.py.* has changed since'):
        lab.execute(lab.runs(seed))
    assert run.checkpoint.exists()
    assert run.result.exists() == finished


def test_another_teacher_under_a_result_is_an_error(lab):
    lab.execute(lab.runs(0))
    with pytest.raises(UserError, match='the teacher has changed since'):
        lab.execute(lab.runs(1, teacher_epochs=2))


def test_a_run_that_saved_nothing_may_start_with_another_config(lab):
    run, = lab.runs(0)
    run.work_dir.mkdir(parents=True)
    (run.work_dir / 'fingerprint').write_text('00000000')
    assert lab.execute([run]) == []


def execute(lab):
    # A shell starts what it puts in the background with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    lab.execute(lab.runs(0))


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGINT])
def test_no_run_starts_twice_when_its_scheduler_ends(lab, number):
    run, = lab.runs(0)
    lab.execute([run.depends_on])
    run.work_dir.mkdir(parents=True)
    (run.work_dir / 'SLOW').touch()
    process = get_context('spawn').Process(target=execute, args=(lab, ))
    process.start()
    while not (run.work_dir / 'epoch_1.pth').exists():
        assert process.is_alive()
        time.sleep(0.02)
    os.kill(process.pid, number)
    process.join()
    (run.work_dir / 'SLOW').unlink()
    assert lab.execute(lab.runs(0)) == []
    # Killed, it leaves its run behind, which is waited for. Interrupted, it
    # ends the run, which goes on.
    starts = {signal.SIGKILL: 1, signal.SIGINT: 2}[number]
    assert len(lab.starts(run.name)) == starts
    assert lab.results()['x/gld', 0]['curve'] == [10., 20., 30., 40.]


def test_runs_are_spread_over_the_visible_gpus(monkeypatch):

    def gpus():
        return [
            scheduler._environment(jobs=3,
                                   slot=slot).get('CUDA_VISIBLE_DEVICES')
            for slot in range(3)
        ]

    monkeypatch.setattr(scheduler.torch.cuda, 'device_count', lambda: 2)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    assert gpus() == ['0', '1', '0']
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3,5')
    assert gpus() == ['3', '5', '3']
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES')
    monkeypatch.setattr(scheduler.torch.cuda, 'device_count', lambda: 0)
    assert gpus() == [None, None, None]


def test_runs_share_the_cores(monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.setattr(scheduler.os, 'cpu_count', lambda: 8)
    assert scheduler._environment(jobs=3, slot=0)['OMP_NUM_THREADS'] == '2'
    monkeypatch.setenv('OMP_NUM_THREADS', '5')
    assert scheduler._environment(jobs=3, slot=0)['OMP_NUM_THREADS'] == '5'
