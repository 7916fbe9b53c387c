# Copyright (c) gld_mm authors. All rights reserved.
"""The hosts' own train.py is as safe as ours."""
import importlib.util
import logging
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from gld_mm.errors import UserError

pytest.importorskip('sklearn')

ROOT = Path(__file__).parents[2]
CONFIG = """
_base_ = '{root}/configs/gld/r14_r8_digits.py'
runner_type = 'CheckedRunner'
custom_hooks = [
    dict(type='DataCheckHook'),
    dict(type='CheckpointCheckHook'),
    dict(type='PretrainedCheckHook'),
]
model = dict(
    teacher_ckpt='{folder}/teacher.pth', teacher_config='the/teacher.py')
train_cfg = dict(max_epochs=1)
train_dataloader = dict(dataset=dict(num_samples=64))
val_dataloader = dict(dataset=dict(num_samples=64))
"""
# What is changed, and the whole line that is said
FAULTS = {
    'a missing teacher':
    (['model.teacher_ckpt=none.pth'],
     'teacher_ckpt "none.pth" does not exist. Train it with: python '
     'tools/train.py the/teacher.py'),
    'missing data': ([
        'train_dataloader.dataset.type=CUB',
        'train_dataloader.dataset.data_root=birds'
    ], 'CUB: birds/images.txt is missing. Expected below birds: images.txt, '
                     'image_class_labels.txt, train_test_split.txt, images '
                     '(docs/data.md)'),
    'wrong classes':
    (['model.architecture.head.num_classes=100'],
     'NoisyDigits has 10 classes, the head 100: set num_classes of the '
     'head (and of the teacher) in the config.'),
}


def tool(package):
    """The train.py that a host's wheel carries."""
    folder = Path(importlib.util.find_spec(package).origin).parent
    return str(folder / '.mim' / 'tools' / 'train.py')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('host')
    (folder / 'mine.py').write_text(CONFIG.format(root=ROOT, folder=folder))
    init_default_scope('mmpretrain')
    teacher = Config.fromfile(folder / 'mine.py').model.teacher
    torch.save(MODELS.build(teacher).state_dict(), folder / 'teacher.pth')
    return folder


def arguments(package, folder, work_dir, fault):
    return [
        tool(package), f'{folder}/mine.py', '--work-dir',
        str(work_dir), '--cfg-options', *FAULTS[fault][0]
    ]


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('package', ['mmpretrain', 'mmrazor'])
def test_a_hosts_train_py_says_it_in_one_line(folder, tmp_path, monkeypatch,
                                              package, fault):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(Runner, 'from_cfg', Runner.__dict__['from_cfg'])
    argv = arguments(package, folder, tmp_path / 'run', fault)
    with pytest.raises(UserError) as error:
        if package == 'mmrazor':  # which imports on no recent PyTorch
            monkeypatch.setattr(sys, 'argv', ['compat', *argv])
            runpy.run_module('gld_mm.compat', run_name='__main__')
        else:
            monkeypatch.setattr(sys, 'argv', argv)
            runpy.run_path(argv[0], run_name='__main__')
    logging.shutdown()
    assert str(error.value) == FAULTS[fault][1]
    assert not list(tmp_path.rglob('*.pth'))


@pytest.mark.parametrize('package, module',
                         [('mmpretrain', []),
                          ('mmrazor', ['-m', 'gld_mm.compat'])])
def test_the_line_is_all_that_is_printed_and_the_status_is_1(
        folder, tmp_path, package, module):
    run = subprocess.run([
        sys.executable, *module,
        *arguments(package, folder, tmp_path / 'run', 'a missing teacher')
    ],
                         cwd=tmp_path,
                         capture_output=True,
                         text=True)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == FAULTS['a missing teacher'][1]
    assert 'Traceback' not in run.stdout + run.stderr
