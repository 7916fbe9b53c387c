# Copyright (c) gld_mm authors. All rights reserved.
"""GLDDistill in DistributedDataParallel: two gloo processes on the CPU."""
import os
import subprocess
import sys
from pathlib import Path

import torch

CODE = '''
import sys

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample
from mmrazor.registry import MODELS

from tests.conftest import distillation

dist.init_process_group('gloo')
init_default_scope('mmpretrain')
torch.manual_seed(0)
model = MODELS.build(distillation())
wrapper = MMDistributedDataParallel(model.train())
torch.manual_seed(dist.get_rank())
data = dict(
    inputs=[torch.randn(3, 16, 16) for _ in range(4)],
    data_samples=[DataSample().set_gt_label(i) for i in range(4)])
optim = OptimWrapper(torch.optim.SGD(wrapper.parameters(), 0.1))
for _ in range(2):
    log = wrapper.train_step(data, optim)
torch.save(
    dict(
        loss=log['distill.loss_relation'],
        weight=model.student.head.fc.weight.detach(),
        keys=list(wrapper.module.state_dict()),
        student=list(model.student.state_dict())),
    f'{sys.argv[1]}/{dist.get_rank()}.pth')
'''


def test_ranks_learn_the_same_student_from_their_own_images(tmp_path):
    script = tmp_path / 'ddp.py'
    script.write_text(CODE)
    run = subprocess.run([
        sys.executable, '-m', 'torch.distributed.run', '--standalone',
        '--nproc_per_node=2',
        str(script),
        str(tmp_path)
    ],
                         cwd=Path(__file__).parents[3],
                         env=dict(
                             os.environ, PYTHONPATH='.', OMP_NUM_THREADS='1'),
                         capture_output=True,
                         text=True)
    assert run.returncode == 0, run.stderr
    first, second = (
        torch.load(tmp_path / f'{rank}.pth', weights_only=True)
        for rank in range(2))
    assert first['weight'].equal(second['weight'])
    assert not first['loss'].equal(second['loss'])
    assert first['keys'] == first['student']
