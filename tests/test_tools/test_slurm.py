# Copyright (c) gld_mm authors. All rights reserved.
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def srun_of(tmp_path, script, *args, **environment):
    """What a tool asks SLURM for: options by name, then the command."""
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n'
                    'echo $PYTHONPATH > "$0.path"\n')
    srun.chmod(0o755)
    run = subprocess.run([str(ROOT / 'tools' / script), *args],
                         env=dict(
                             os.environ,
                             PATH=f'{tmp_path}:{os.environ["PATH"]}',
                             **environment),
                         capture_output=True,
                         text=True)
    words = run.stdout.splitlines()
    return words[:words.index('python')], words[words.index('python'):]


@pytest.mark.parametrize('script, rest', [
    ('slurm_train.sh', ['--work-dir', 'file']),
    ('slurm_test.sh', ['file']),
])
def test_slurm_gets_a_task_for_each_gpu(tmp_path, script, rest):
    options, command = srun_of(
        tmp_path, script, 'gpu', 'job', 'a.py', 'file', '--amp', GPUS='16')
    assert options[:2] == ['-p', 'gpu']
    assert '--job-name=job' in options
    assert '--ntasks=16' in options
    assert {'--gres=gpu:8', '--ntasks-per-node=8'} <= set(options)
    tool = script.replace('slurm_', '').replace('.sh', '.py')
    assert command == [
        'python', '-u',
        str(ROOT / 'tools' / tool), 'a.py', *rest, '--launcher', 'slurm',
        '--amp'
    ]


def test_fewer_gpus_than_a_node_has_and_more_options_reach_slurm(tmp_path):
    options, _ = srun_of(
        tmp_path,
        'slurm_train.sh',
        'gpu',
        'job',
        'a.py',
        'dir',
        GPUS='4',
        SRUN_ARGS='--time 10 --quiet')
    assert {'--gres=gpu:4', '--ntasks=4'} <= set(options)
    assert options[-3:] == ['--time', '10', '--quiet']


def test_modules_beside_tools_can_be_imported(tmp_path):
    srun_of(
        tmp_path,
        'slurm_train.sh',
        'gpu',
        'job',
        'a.py',
        'dir',
        PYTHONPATH='/mine')
    first, second = (tmp_path / 'srun.path').read_text().strip().split(':')
    assert Path(first).resolve() == ROOT and second == '/mine'


@pytest.mark.parametrize('script', ['slurm_train.sh', 'slurm_test.sh'])
def test_too_few_arguments_show_the_usage(script):
    run = subprocess.run([str(ROOT / 'tools' / script), 'gpu'],
                         capture_output=True,
                         text=True)
    assert run.returncode == 2
    assert run.stdout.startswith(f'# tools/{script} PARTITION JOB_NAME')
