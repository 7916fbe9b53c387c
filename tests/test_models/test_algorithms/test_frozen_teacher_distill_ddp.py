# Copyright (c) gld_mm authors. All rights reserved.
"""Distillation in DistributedDataParallel: two gloo processes against one."""
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS as CLS_MODELS
from mmpretrain.structures import DataSample
from mmrazor.registry import MODELS

from tests.two_processes import run_in_two_processes

from ...conftest import classifier, distillation

CODE = '''
import sys

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper

import gld_mm  # which lets mmrazor be imported
from tests.test_models.test_algorithms import \\
    test_frozen_teacher_distill_ddp as test

dist.init_process_group('gloo')
rank = dist.get_rank()
model = test.build()
wrapper = MMDistributedDataParallel(model)
optim = OptimWrapper(torch.optim.SGD(wrapper.parameters(), 1.))
log = wrapper.train_step(test.images(rank * 4, rank * 4 + 4), optim)
torch.save(
    dict(log=log, student=model.state_dict()),
    f'{sys.argv[1]}/{rank}.pth')
'''


def build():
    """The same model on every process; its batch norms are frozen."""
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    return MODELS.build(distillation()).eval()


def images(first, last):
    """Some of eight images."""
    torch.manual_seed(1)
    batch = torch.randn(8, 3, 16, 16)
    return dict(
        inputs=list(batch[first:last]),
        data_samples=[
            DataSample().set_gt_label(i) for i in range(first, last)
        ])


@pytest.fixture(scope='module')
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ddp')
    run_in_two_processes(CODE, folder)
    return [
        torch.load(folder / f'{rank}.pth', weights_only=True)
        for rank in range(2)
    ]


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_two_processes_have_loss_and_gradient_of_one_with_both_batches(ranks):
    model = build()
    data = model.data_preprocessor(images(0, 8), True)
    total, log = model.parse_losses(model(**data, mode='loss'))
    total.backward()
    for name, value in log.items():
        mean = sum(rank['log'][name] for rank in ranks) / 2
        torch.testing.assert_close(mean, value, rtol=1e-5, atol=1e-7)
    # The relations are those of all eight images on either process.
    relations = [rank['log']['distill.loss_relation'] for rank in ranks]
    torch.testing.assert_close(*relations)
    # A step of size 1 changes each weight by its gradient.
    for name, weight in model.named_parameters():
        name = name.removeprefix('architecture.')
        for rank in ranks:
            torch.testing.assert_close(
                rank['student'][name],
                weight.detach() - weight.grad,
                rtol=1e-5,
                atol=1e-5)


def test_both_processes_keep_the_same_plain_student(ranks):
    first, second = (rank['student'] for rank in ranks)
    assert list(first) == list(CLS_MODELS.build(classifier()).state_dict())
    assert all(first[k].equal(second[k]) for k in first)
