# Copyright (c) gld_mm authors. All rights reserved.
"""tools/slurm_*.sh in a real SLURM of this machine, two tasks on the CPU."""
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .test_dist_train import (CONFIG, PAUSE, ROOT, config_with_hook, folder,
                              wait_for)

NODE = ROOT / 'tests/slurm_node.sh'
SBIN = f'{os.environ["PATH"]}:/usr/sbin'
OPTIONS = [
    '--cfg-options', 'train_cfg.max_epochs=2',
    'train_dataloader.dataset.num_samples=330',
    'val_dataloader.dataset.num_samples=100',
    'test_dataloader.dataset.num_samples=101'
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.getuid() != 0
        or not all(shutil.which(d, path=SBIN) for d in ('slurmd', 'munged')),
        reason='no SLURM: apt install slurm-wlm munge, and run as root')
]
__all__ = ['folder']


@pytest.fixture(scope='module')
def run(folder):
    """Run a command where a SLURM is, with two tasks to ask it for."""
    subprocess.run([NODE, 'start', folder / 'slurm'], check=True)
    path = Path(sys.executable).parent
    environment = dict(
        os.environ,
        PATH=f'{path}:{os.environ["PATH"]}',
        PYTHONPATH=os.pathsep.join([str(folder), str(ROOT)]),
        SLURM_CONF=str(folder / 'slurm/slurm.conf'),
        GPUS='2',
        CPUS_PER_TASK='1',
        CUDA_VISIBLE_DEVICES='')

    def run(*command):
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600)

    yield run
    subprocess.run([NODE, 'stop', folder / 'slurm'], check=True)


@pytest.fixture(scope='module')
def job(folder, run):
    """A batch job that is killed and requeued once, and its log."""
    config = config_with_hook(folder, 'pause', PAUSE)
    words = [
        'tools/slurm_train.sh', 'gpu', 'digits', config, folder / 'work',
        '--resume', *OPTIONS, f'model.teacher_ckpt={folder}/teacher.pth'
    ]
    script, log = folder / 'job.sh', folder / 'job.log'
    script.write_text('#!/bin/bash\n' + ' '.join(map(str, words)) + '\n')
    submitted = run('sbatch', '--parsable', '--requeue', '--partition=gpu',
                    '--gres=gpu:2', '--ntasks=2', '--ntasks-per-node=2',
                    f'--output={log}', '--open-mode=append', str(script))
    job = submitted.stdout.strip()
    assert job, submitted.stderr
    assert wait_for(folder / 'work/epoch_1.pth'), log.read_text()
    time.sleep(1)
    run('scontrol', 'requeue', job)
    state = ''
    for _ in range(600):
        # SLURM lets a requeued job wait for two minutes.
        run('scontrol', 'update', f'JobId={job}', 'StartTime=now')
        state = run('squeue', '-h', '-t', 'all', '-j', job, '-o',
                    '%T').stdout.strip()
        if state in ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT'):
            break
        time.sleep(1)
    return state, log.read_text()


def test_a_requeued_job_of_two_tasks_resumes_by_itself(folder, job):
    state, log = job
    assert state == 'COMPLETED', log
    assert 'CANCELLED' in log  # what SLURM says of the killed run
    killed, resumed = log.split('CANCELLED')[0], log.split('CANCELLED')[-1]
    assert 'Epoch(val) [1]' in killed and 'Epoch(val) [2]' not in killed
    assert 'resumed epoch: 1' in resumed
    assert 'Epoch(val) [2]' in resumed and 'Epoch(val) [1]' not in resumed


def test_two_tasks_test_its_student(folder, run, job):
    tested = run('tools/slurm_test.sh', 'gpu', 'digits', str(CONFIG),
                 str(folder / 'work/epoch_2.pth'), '--work-dir',
                 str(folder / 'tested'), *OPTIONS)
    assert tested.returncode == 0, tested.stderr
    assert 'accuracy/top1' in tested.stdout + tested.stderr
    # 101 images are 51 a task.
    assert 'Epoch(test)' in tested.stdout + tested.stderr
