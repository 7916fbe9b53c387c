# Copyright (c) gld_mm authors. All rights reserved.
"""tools/reproduce.py on a small stand-in for CIFAR-100."""
import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

pytest.importorskip('sklearn')

ROOT = Path(__file__).parents[2]
DATA = f'''
_base_ = '{ROOT}/configs/_base_/datasets/cifar100_bs64_in_memory.py'
train_dataloader = dict(batch_size=32, dataset=dict(dataset=dict(
    _delete_=True, type='TwoDigitNumbers', num_samples=64, pipeline=[])))
val_dataloader = dict(batch_size=50, dataset=dict(dataset=dict(
    _delete_=True, type='TwoDigitNumbers', num_samples=100, split='test',
    pipeline=[])))
test_dataloader = val_dataloader
'''


def start(folder, *args):
    data = folder / 'data.py'
    data.write_text(DATA)
    return subprocess.Popen([
        sys.executable, ROOT / 'tools' / 'reproduce.py', *args, '--epochs',
        '4', '--teacher-epochs', '2', '--data', data, '--work-dir',
        folder / 'runs'
    ],
                            stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT,
                            text=True,
                            start_new_session=True,
                            env=dict(os.environ, OMP_NUM_THREADS='1'))


def finish(folder, *args, fails=False):
    process = start(folder, *args)
    output, _ = process.communicate(timeout=600)
    assert (process.returncode != 0) == fails, output
    return output


def results(folder):
    """What has to be the same of the same runs."""
    lines = (folder / 'runs' / 'results.jsonl').read_text().splitlines()
    return [{
        key: record[key]
        for key in ('cell', 'seed', 'epochs', 'curve', 'weights')
    } for record in map(json.loads, lines)]


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The teacher and the student by GLD of setup (b), in one go."""
    folder = tmp_path_factory.mktemp('whole')
    return folder, finish(folder, 'b/gld')


def test_the_table_has_paper_beside_ours_and_says_shortened(whole):
    folder, output = whole
    teacher, student = results(folder)
    assert (teacher['cell'], teacher['epochs']) == ('b/teacher', 2)
    table = (folder / 'runs' / 'table.md').read_text()
    last = f'{student["curve"][-1]:.2f}'
    assert (f'| b/gld | 4 of 200, teacher 2, shortened | 68.95 | {last} | '
            in table)
    assert 'shortened' in output
    assert (folder / 'runs' / 'curves.png').exists()


def test_a_killed_one_ends_in_the_same_result(whole, tmp_path):
    # The teacher is there; the student is killed after its first epoch.
    shutil.copytree(whole[0] / 'runs', tmp_path / 'runs')
    path = tmp_path / 'runs' / 'results.jsonl'
    path.write_text(path.read_text().splitlines()[0] + '\n')
    student = tmp_path / 'runs' / 'b_gld_seed0_4e'
    shutil.rmtree(student)
    process = start(tmp_path, 'b/gld')
    while not (student / 'epoch_2.pth').exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert len(results(tmp_path)) == 1
    finish(tmp_path, 'b/gld')
    assert results(tmp_path) == results(whole[0])
    assert 'resumed epoch: ' in (student / 'train.log').read_text()


def test_an_unknown_cell_is_one_line_with_the_known_ones(tmp_path):
    output = finish(tmp_path, 'b/gdl', fails=True)
    assert output.startswith('Unknown cell "b/gdl". Known are: a/teacher, ')
    assert len(output.splitlines()) == 1


def test_a_changed_config_is_one_line_and_keeps_the_result(whole, tmp_path):
    shutil.copytree(whole[0] / 'runs', tmp_path / 'runs')
    path = tmp_path / 'runs' / 'results.jsonl'
    text = path.read_text()
    fingerprint = json.loads(text.splitlines()[1])['fingerprint']
    path.write_text(text.replace(fingerprint, '00000000'))
    output = finish(tmp_path, 'b/gld', fails=True)
    assert len(output.splitlines()) == 1
    assert 'has changed since' in output and '00000000 is now' in output
    assert len(results(tmp_path)) == 2


@pytest.fixture
def module():
    path = ROOT / 'tools' / 'reproduce.py'
    spec = importlib.util.spec_from_file_location('reproduce', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_seeds_share_a_teacher_and_transfer_the_student_of_their_own(
        module, tmp_path):
    cells = module.paper_cells()
    args = argparse.Namespace(
        work_dir=tmp_path, seeds=[0, 1], epochs=4, teacher_epochs=6, data=None)
    runs = module.with_needs(
        module.make_runs(
            module.select(['b/gld', 'stl10/gld'], cells), cells, args))
    assert [run.name for run in runs] == [
        'b_teacher_seed0_6e', 'b_gld_seed0_4e', 'a_teacher_seed0_6e',
        'a_gld_seed0_4e', 'stl10_gld_seed0_4e', 'b_gld_seed1_4e',
        'a_gld_seed1_4e', 'stl10_gld_seed1_4e'
    ]
    assert runs[-1].cfg.model.backbone.init_cfg.checkpoint == str(
        tmp_path / 'a_gld_seed1_4e' / 'epoch_4.pth')


def test_a_data_config_is_for_cifar100_only(module, tmp_path):
    data = tmp_path / 'data.py'
    data.write_text(DATA)
    cells = module.paper_cells()
    args = argparse.Namespace(
        work_dir=tmp_path,
        seeds=[0],
        epochs=None,
        teacher_epochs=None,
        data=str(data))
    runs = module.with_needs(
        module.make_runs(module.select(['stl10/gld'], cells), cells, args))
    assert [run.cfg.train_dataloader.dataset.type for run in runs
            ] == ['InMemoryDataset', 'InMemoryDataset', 'STL10']


def test_a_full_disk_is_one_line_before_anything_runs(module, tmp_path,
                                                      monkeypatch):
    usage = namedtuple('usage', 'free')(300 * 2**20)
    monkeypatch.setattr(module.shutil, 'disk_usage', lambda folder: usage)
    module.check_space(tmp_path, 2)
    with pytest.raises(module.RunFailed, match='has 300 MB left, 3 runs need'):
        module.check_space(tmp_path, 3)


def test_missing_data_that_cannot_be_fetched_are_one_line(tmp_path):
    data = tmp_path / 'none'
    (tmp_path / 'data.py').write_text(
        "data_preprocessor = dict(type='ClsDataPreprocessor')\n"
        "train_dataloader = dict(dataset=dict(type='CIFAR100', split='train', "
        f"data_root='{data}', download=False, pipeline=[]))\n"
        'val_dataloader = test_dataloader = train_dataloader\n')
    result = subprocess.run([
        sys.executable, ROOT / 'tools' / 'reproduce.py', 'b/gld', '--data',
        tmp_path / 'data.py', '--work-dir', tmp_path / 'runs'
    ],
                            capture_output=True,
                            text=True)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(
        f'CIFAR100 in {data} cannot be read: ')
    assert 'Traceback' not in result.stderr
    assert not list(tmp_path.glob('runs/*/train.log'))
