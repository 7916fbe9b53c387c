# Copyright (c) gld_mm authors. All rights reserved.
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from gld_mm.experiments import Results, scheduler


def records(lab):
    return {(r['cell'], r['seed']): r for r in Results(lab.path)}


@pytest.mark.parametrize('jobs', [1, 3])
def test_a_missing_teacher_is_trained_first_and_once(lab, jobs):
    assert lab.execute(lab.runs(0, 1), jobs) == []
    assert set(records(lab)) == {('x/teacher', 0), ('x/gld', 0), ('x/gld', 1)}
    assert lab.starts('x_teacher_seed0_4e') == ['0']
    assert 'x_gld_seed1_4e: 4 epochs, top-1 41.00%' in lab.screen.getvalue()


def test_what_is_finished_is_not_run_again(lab):
    lab.execute(lab.runs(0))
    before = lab.path.read_text()
    assert lab.execute(lab.runs(0)) == []
    assert lab.path.read_text() == before
    assert lab.starts('x_gld_seed0_4e') == ['0']


def test_a_lost_line_is_read_from_its_run_without_training(lab):
    lab.execute(lab.runs(0))
    first, second = lab.path.read_text().splitlines()
    lab.path.write_text(first + '\n' + second[:20])
    with pytest.warns(UserWarning, match='line 2'):
        lab.execute(lab.runs(0))
    assert lab.path.read_text().splitlines() == [first, second]
    assert lab.starts('x_gld_seed0_4e') == ['0']


def test_an_interrupted_run_goes_on_from_its_last_validated_epoch(lab):
    run, = lab.runs(0)
    lab.execute([run])
    # As if killed after the third checkpoint, before its validation.
    lab.path.unlink()
    run.checkpoint.unlink()
    log = next(run.work_dir.glob('*/vis_data/*.json'))
    log.write_text('\n'.join(log.read_text().splitlines()[:2]) + '\n')
    assert lab.execute([run]) == []
    assert lab.starts(run.name) == ['0', '2']
    assert records(lab)['x/gld', 0]['curve'] == [10., 20., 30., 40.]


def test_a_teacher_whose_weights_are_gone_is_trained_again_if_needed(lab):
    lab.execute(lab.runs(0))
    teacher = lab.runs(0)[0].needs
    teacher.checkpoint.unlink()
    lab.execute(lab.runs(0))
    assert lab.starts(teacher.name) == ['0']
    lab.execute(lab.runs(1))
    assert lab.starts(teacher.name) == ['0', '3']


def test_a_failed_run_says_why_and_stops_only_what_needs_it(lab):
    runs = lab.runs(0, 1)
    runs[0].work_dir.mkdir(parents=True)
    (runs[0].work_dir / 'FAIL').touch()
    failure, = lab.execute(runs)
    assert failure.startswith(
        'x_gld_seed0_4e failed: ValueError: [/data] "x" is wrong (the log: ')
    assert failure in lab.screen.getvalue()
    assert list(records(lab)) == [('x/teacher', 0), ('x/gld', 1)]


def test_a_full_disk_is_named_whatever_the_log_says(lab, monkeypatch):
    run, = lab.runs(0)
    run.needs.work_dir.mkdir(parents=True)
    (run.needs.work_dir / 'FAIL').touch()
    usage = namedtuple('usage', 'free')(1000)
    monkeypatch.setattr(scheduler.shutil, 'disk_usage', lambda path: usage)
    failure, _ = lab.execute([run])
    assert f'the disk of {run.needs.work_dir} is full' in failure


def test_a_folder_that_cannot_be_written_fails_its_run_only(lab):
    runs = lab.runs(0, 1)
    runs[0].work_dir.write_text('a file where a folder should be')
    failure, = lab.execute(runs)
    assert failure.startswith('x_gld_seed0_4e failed: [Errno 17] File exists')
    assert list(records(lab)) == [('x/teacher', 0), ('x/gld', 1)]


def test_without_its_teacher_a_student_is_not_run(lab):
    run, = lab.runs(0)
    run.needs.work_dir.mkdir(parents=True)
    (run.needs.work_dir / 'FAIL').touch()
    failures = lab.execute([run])
    assert failures[1] == 'x_gld_seed0_4e: not run, as x_teacher_seed0_4e ' \
                          'failed'
    assert lab.starts(run.name) == []


SCHEDULER = """
import signal, sys
# A shell starts what it puts in the background with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from tests.test_experiments.conftest import Lab
lab = Lab.__new__(Lab)
lab.root = Path(sys.argv[1])
lab.folder = lab.root / 'runs'
lab.path = lab.folder / 'results.jsonl'
lab.execute(lab.runs(0))
"""


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGINT])
def test_no_run_starts_twice_when_its_scheduler_ends(lab, number):
    run, = lab.runs(0)
    lab.execute([run.needs])
    run.work_dir.mkdir(parents=True)
    (run.work_dir / 'SLOW').touch()
    process = subprocess.Popen([sys.executable, '-c', SCHEDULER, lab.root],
                               cwd=Path(__file__).parents[2],
                               stderr=subprocess.DEVNULL)
    while not (run.work_dir / 'epoch_1.pth').exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    process.wait()
    (run.work_dir / 'SLOW').unlink()
    assert lab.execute(lab.runs(0)) == []
    # Killed, it leaves its run behind, which is waited for. Interrupted, it
    # ends the run, which goes on.
    starts = {signal.SIGKILL: 1, signal.SIGINT: 2}[number]
    assert len(lab.starts(run.name)) == starts
    assert records(lab)['x/gld', 0]['curve'] == [10., 20., 30., 40.]


def test_runs_are_spread_over_the_visible_gpus(monkeypatch):
    monkeypatch.setattr(scheduler.torch.cuda, 'device_count', lambda: 2)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    assert scheduler._visible_devices() == ['0', '1']
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3,5')
    assert scheduler._visible_devices() == ['3', '5']
    monkeypatch.setattr(scheduler.torch.cuda, 'device_count', lambda: 0)
    assert scheduler._visible_devices() == [None]
