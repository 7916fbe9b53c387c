# Copyright (c) gld_mm authors. All rights reserved.
import torch

from tests.two_processes import run_in_two_processes

CODE = '''
import sys

import torch
import torch.distributed as dist
from torch import nn

import gld_mm
from gld_mm.models.task_modules.cells_in_batch import CellsInBatch

dist.init_process_group('gloo')
rank = dist.get_rank()
images, cells = torch.load(f'{sys.argv[1]}/batch.pth')
own = images[4 * rank:4 * rank + 4]
hooks = CellsInBatch(nn.Identity(), (1, 1))
hooks.cells = cells
# torch synchronizes on a GPU only: what the norm puts out is not looked at.
out = hooks._cells_too(nn.SyncBatchNorm(3), (own, ), own)
torch.save(out[4:], f'{sys.argv[1]}/{rank}.pth')
'''


def test_a_synchronized_norm_takes_the_statistics_of_all_processes(tmp_path):
    torch.manual_seed(0)
    images, cells = 5 + torch.randn(8, 3, 2, 2), torch.randn(2, 3, 2, 2)
    images[4:] *= 2
    torch.save((images, cells), tmp_path / 'batch.pth')
    run_in_two_processes(CODE, tmp_path)
    channels = images.transpose(0, 1).flatten(1).double()
    mean, std = (
        x.view(1, 3, 1, 1)
        for x in (channels.mean(1), channels.std(1, correction=0)))
    expected = ((cells - mean) / std).float()
    for rank in range(2):
        torch.testing.assert_close(
            torch.load(tmp_path / f'{rank}.pth'),
            expected,
            rtol=1e-4,
            atol=1e-4)
