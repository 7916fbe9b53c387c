# Copyright (c) gld_mm authors. All rights reserved.
"""tools/dist_train.sh with two processes on the CPU."""
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

pytest.importorskip('sklearn')

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/gld/r14_r8_digits.py'
HOOK = """
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class Death(Hook):

    def after_train_iter(self, runner, batch_idx, **kwargs):
        if get_rank() == 1 and batch_idx == 1:
            raise MemoryError('the second process dies')
"""


def dist_train(folder, config, name, port, images):
    path = Path(sys.executable).parent
    return subprocess.run([
        'bash', ROOT / 'tools/dist_train.sh', config, '2', '--work-dir',
        folder / name, '--cfg-options', 'train_cfg.max_epochs=1',
        f'train_dataloader.dataset.num_samples={images}',
        'val_dataloader.dataset.num_samples=100',
        f'model.teacher_ckpt={folder}/teacher.pth'
    ],
                          cwd=ROOT,
                          capture_output=True,
                          text=True,
                          timeout=300,
                          env=dict(
                              os.environ,
                              PATH=f'{path}:{os.environ["PATH"]}',
                              PYTHONPATH=str(folder),
                              PORT=str(port),
                              CUDA_VISIBLE_DEVICES='',
                              OMP_NUM_THREADS='1'))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    from mmengine.config import Config
    from mmengine.registry import MODELS, init_default_scope
    folder = tmp_path_factory.mktemp('dist')
    init_default_scope('mmpretrain')
    teacher = Config.fromfile(CONFIG).model
    torch.save(
        MODELS.build(teacher.teacher).state_dict(), folder / 'teacher.pth')
    return folder


def test_two_processes_train_one_student(folder):
    # 165 images a process: two batches of 64 and an uneven one of 37.
    run = dist_train(folder, CONFIG, 'run', 29611, images=330)
    assert run.returncode == 0, run.stderr
    assert 'Epoch(val) [1]' in run.stdout + run.stderr
    assert (folder / 'run/epoch_1.pth').exists()


def test_a_process_that_dies_ends_the_job_with_its_error(folder):
    (folder / 'death.py').write_text(HOOK)
    config = folder / 'death_config.py'
    config.write_text(f"""
_base_ = '{CONFIG}'
custom_imports = dict(imports=['death'])
custom_hooks = _base_.custom_hooks + [dict(type='Death')]
""")
    start = time.time()
    run = dist_train(folder, config, 'death', 29612, images=640)
    assert run.returncode != 0
    assert 'the second process dies' in run.stdout + run.stderr
    assert time.time() - start < 240  # and not gloo's half an hour
