# Copyright (c) gld_mm authors. All rights reserved.
"""tools/reproduce.py on a small stand-in for CIFAR-100."""
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
import reproduce

from gld_mm.errors import UserError
from reproduction import load_results

pytest.importorskip('sklearn')

ROOT = Path(__file__).parents[2]
DATA = f'''
_base_ = '{ROOT}/configs/_base_/datasets/cifar100_bs64_in_memory.py'
train_dataloader = dict(batch_size=32, dataset=dict(dataset=dict(
    _delete_=True, type='NoisyDigits', num_samples=64,
    classes=[str(i) for i in range(100)], pipeline=[])))
val_dataloader = dict(batch_size=50, dataset=dict(dataset=dict(
    _delete_=True, type='NoisyDigits', num_samples=100, split='test',
    classes=[str(i) for i in range(100)],
    pipeline=[])))
test_dataloader = val_dataloader
'''


def arguments(folder):
    """The command line that reproduces the student by GLD of setup (b)."""
    (folder / 'data.py').write_text(DATA)
    return [
        'b/gld', '--epochs', '4', '--teacher-epochs', '2', '--data',
        str(folder / 'data.py'), '--work-dir',
        str(folder / 'runs')
    ]


def results(folder):
    """What has to be the same of the same runs."""
    return [{
        key: result[key]
        for key in ('experiment', 'seed', 'epochs', 'curve', 'weights')
    } for group in load_results(folder / 'runs') for result in group]


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The teacher and the student by GLD of setup (b), in one go."""
    folder = tmp_path_factory.mktemp('whole')
    result = subprocess.run(
        [sys.executable, ROOT / 'tools/reproduce.py', *arguments(folder)],
        capture_output=True,
        text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder, result.stdout


def test_the_table_has_paper_beside_ours_and_says_shortened(whole):
    folder, output = whole
    student, teacher = results(folder)
    assert (teacher['experiment'], teacher['epochs']) == ('b/teacher', 2)
    table = (folder / 'runs' / 'table.md').read_text()
    last = f'{student["curve"][-1]:.2f}'
    assert ('| b/gld | 4 of 200, teacher 2, shortened, data.py | 68.95 | '
            f'{last} | ' in table)
    assert 'shortened' in output
    assert (folder / 'runs' / 'curves.png').exists()


def test_a_killed_one_ends_in_the_same_result(whole, tmp_path):
    # The teacher is there; the student is killed after its second epoch.
    shutil.copytree(whole[0] / 'runs', tmp_path / 'runs')
    student = tmp_path / 'runs' / 'b_gld_seed0_4e'
    shutil.rmtree(student)
    process = subprocess.Popen(
        [sys.executable, ROOT / 'tools/reproduce.py', *arguments(tmp_path)],
        start_new_session=True)
    while not (student / 'epoch_2.pth').exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(results(tmp_path)) == 1
    reproduce.main(arguments(tmp_path))
    assert results(tmp_path) == results(whole[0])
    assert 'resumed epoch: ' in (student / 'train.log').read_text()


def test_a_changed_config_is_an_error_and_keeps_the_result(whole, tmp_path):
    shutil.copytree(whole[0] / 'runs', tmp_path / 'runs')
    path = tmp_path / 'runs' / 'b_gld_seed0_4e' / 'fingerprint'
    path.write_text('00000000')
    with pytest.raises(UserError, match='has changed since .*00000000 is now'):
        reproduce.main(arguments(tmp_path))
    assert len(results(tmp_path)) == 2


def test_all_experiments_are_listed_with_config_and_options(capsys):
    reproduce.main(['--list'])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 42
    assert lines[0].split() == [
        'a/teacher', 'configs/baseline/r110_cifar100.py'
    ]
    assert 'b/global-local       configs/gld/wrn16-2_wrn16-1_cifar100.py ' \
           'model.distiller.beta=0' in lines


def test_an_unknown_experiment_is_an_error_that_lists_the_known(tmp_path):
    with pytest.raises(
            UserError,
            match='^Unknown experiment "b/gdl". Known are: a/teacher, '):
        reproduce.main(['b/gdl', '--work-dir', str(tmp_path)])


def runs_of(*args):
    args = reproduce.parse_args(args)
    selected = reproduce.select(args.experiments,
                                reproduce.paper_experiments())
    return reproduce.make_runs(selected, args)


def test_all_seeds_share_a_teacher_and_transfer_the_student_of_their_own(
        tmp_path):
    runs = runs_of('b/gld', 'stl10/gld', '--seeds', '0', '1', '--epochs', '4',
                   '--teacher-epochs', '6', '--work-dir', str(tmp_path))
    assert [run.name for run in runs] == [
        'a_teacher_seed0_6e', 'b_teacher_seed0_6e', 'a_gld_seed0_4e',
        'a_gld_seed1_4e', 'b_gld_seed0_4e', 'stl10_gld_seed0_4e',
        'b_gld_seed1_4e', 'stl10_gld_seed1_4e'
    ]
    assert runs[-1].cfg.model.backbone.init_cfg.checkpoint == str(
        tmp_path / 'a_gld_seed1_4e' / 'epoch_4.pth')


def test_a_data_config_is_for_cifar100_only(tmp_path):
    data = tmp_path / 'data.py'
    data.write_text(DATA)
    runs = runs_of('stl10/gld', '--data', str(data))
    assert [run.cfg.train_dataloader.dataset.type for run in runs
            ] == ['InMemoryDataset', 'InMemoryDataset', 'STL10']


def test_a_full_disk_is_an_error_before_anything_runs(tmp_path, monkeypatch):
    usage = namedtuple('usage', 'free')(300 * 2**20)
    monkeypatch.setattr(reproduce.shutil, 'disk_usage', lambda folder: usage)
    reproduce.check_space(tmp_path, 2)
    with pytest.raises(UserError, match='has 300 MB left, 3 runs need'):
        reproduce.check_space(tmp_path, 3)


def test_missing_data_that_cannot_be_downloaded_are_an_error(tmp_path):
    data = tmp_path / 'none'
    (tmp_path / 'data.py').write_text(
        "data_preprocessor = dict(type='ClsDataPreprocessor')\n"
        "train_dataloader = dict(dataset=dict(type='CIFAR100', split='train', "
        f"data_root='{data}', download=False, pipeline=[]))\n"
        'val_dataloader = test_dataloader = train_dataloader\n')
    with pytest.raises(
            UserError, match=f'^CIFAR100 in {data} cannot be read: '):
        reproduce.main([
            'b/gld', '--data',
            str(tmp_path / 'data.py'), '--work-dir',
            str(tmp_path / 'runs')
        ])
    assert not list(tmp_path.glob('runs/*/train.log'))
