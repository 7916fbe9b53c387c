# Copyright (c) gld_mm authors. All rights reserved.
"""tools/dist_train.sh and dist_test.sh with two processes on the CPU."""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ..two_processes import free_port

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
PAUSE = """
import time

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class Pause(Hook):
    '''One process of the first run stays in its second epoch.'''

    def before_train_epoch(self, runner):
        if runner.epoch == 1 and not runner._resume and get_rank() == 1:
            time.sleep(600)
"""


def start(folder, config, name, port, images, gpus=2, epochs=1, **variables):
    """Start tools/dist_train.sh."""
    return start_script(
        'dist_train.sh',
        config,
        gpus,
        '--resume',
        '--work-dir',
        folder / name,
        '--cfg-options',
        f'train_cfg.max_epochs={epochs}',
        f'train_dataloader.dataset.num_samples={images}',
        'val_dataloader.dataset.num_samples=100',
        f'model.teacher_ckpt={folder}/teacher.pth',
        PYTHONPATH=os.pathsep.join(
            filter(None,
                   [str(folder), os.environ.get('PYTHONPATH')])),
        PORT=port,
        **variables)


def start_script(script, *args, **variables):
    """Start a script on the CPU in a session of its own."""
    path = Path(sys.executable).parent
    variables = {name: str(value) for name, value in variables.items()}
    return subprocess.Popen(['bash', ROOT / 'tools' / script, *map(str, args)],
                            cwd=ROOT,
                            stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT,
                            text=True,
                            start_new_session=True,
                            env=dict(
                                os.environ,
                                PATH=f'{path}:{os.environ["PATH"]}',
                                CUDA_VISIBLE_DEVICES='',
                                **variables))


def dist_train(*args):
    """Run it; its exit status and all that it prints."""
    process = start(*args)
    output = process.communicate(timeout=300)[0]
    return process.returncode, output


def kill(process):
    """Kill what one node runs, as a power cut does."""
    # Workers are sessions of their own: the children of torchrun, which is
    # the child of the script.
    script = process.pid
    torchrun = children(script)
    for pid in [*(w for t in torchrun for w in children(t)), *torchrun]:
        os.kill(pid, signal.SIGKILL)
    process.wait()


def children(pid):
    path = Path(f'/proc/{pid}/task/{pid}/children')
    return [int(child) for child in path.read_text().split()]


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


def test_two_processes_train_one_student_and_test_it(folder):
    # 165 images a process: two batches of 64 and an uneven one of 37.
    status, output = dist_train(folder, CONFIG, 'run', free_port(), 330)
    assert status == 0, output
    validated = re.search(r'Epoch\(val\) \[1\].*top1: ([\d.]+)', output)[1]

    process = start_script(
        'dist_test.sh',
        CONFIG,
        folder / 'run/epoch_1.pth',
        2,
        '--work-dir',
        folder / 'test',
        '--cfg-options',
        'test_dataloader.dataset.num_samples=100',
        PORT=str(free_port()))
    tested = process.communicate(timeout=300)[0]
    assert process.returncode == 0, tested
    assert re.search(r'Epoch\(test\).*top1: ([\d.]+)', tested)[1] == validated


def config_with_hook(folder, name, hook):
    (folder / f'{name}.py').write_text(hook)
    config = folder / f'{name}_config.py'
    config.write_text(f"""
_base_ = '{CONFIG}'
custom_imports = dict(imports=['{name}'])
custom_hooks = _base_.custom_hooks + [dict(type='{name.capitalize()}')]
""")
    return config


def test_a_process_that_dies_ends_the_job_with_its_error(folder):
    config = config_with_hook(folder, 'death', HOOK)
    begin = time.time()
    status, output = dist_train(folder, config, 'death', free_port(), 640)
    assert status != 0
    assert 'the second process dies' in output
    assert time.time() - begin < 240  # and not gloo's half an hour


@pytest.mark.slow
def test_a_killed_node_ends_the_other_and_both_resume(folder):
    config = config_with_hook(folder, 'pause', PAUSE)

    port = free_port()

    def node(rank):
        return start(
            folder,
            config,
            'nodes',
            port,
            330,
            1,
            2,
            NNODES='2',
            NODE_RANK=str(rank))

    first, second = node(0), node(1)
    assert wait_for(folder / 'nodes/epoch_1.pth'), first.communicate()[0]
    time.sleep(1)
    kill(second)
    output = first.communicate(timeout=120)[0]  # not gloo's half an hour
    assert first.returncode == 1
    assert output.splitlines()[-1].endswith(
        'another node ended; start all nodes again with --resume.')

    nodes = node(0), node(1)
    output = [process.communicate(timeout=300)[0] for process in nodes]
    assert [process.returncode for process in nodes] == [0, 0], output
    assert 'resumed epoch: 1' in output[0]
    assert (folder / 'nodes/epoch_2.pth').exists()


def wait_for(path, seconds=300):
    end = time.time() + seconds
    while not path.exists() and time.time() < end:
        time.sleep(0.2)
    return path.exists()
