# Copyright (c) gld_mm authors. All rights reserved.
import copy
import os
import sys
from pathlib import Path

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope, init_default_scope
from mmengine.visualization import Visualizer

import gld_mm  # noqa: F401

# One thread, here and in the tools that tests start: tests run side by side,
# and some compare trainings bit for bit.
os.environ['OMP_NUM_THREADS'] = '1'
torch.set_num_threads(1)

# What the tools import from the folder they lie in
TOOLS = Path(__file__).parents[1] / 'tools'
sys.path += [str(TOOLS), str(TOOLS / 'analysis')]

# Plain knowledge distillation, of mmrazor's parts alone
KD = dict(
    type='mmrazor.ConfigurableDistiller',
    student_recorders=dict(
        logits=dict(type='mmrazor.ModuleOutputs', source='head.fc')),
    teacher_recorders=dict(
        logits=dict(type='mmrazor.ModuleOutputs', source='head.fc')),
    distill_losses=dict(loss_kl=dict(type='mmrazor.KLDivergence')),
    loss_forward_mappings=dict(
        loss_kl=dict(
            preds_S=dict(recorder='logits', from_student=True),
            preds_T=dict(recorder='logits', from_student=False))))


def classifier(depth: int = 8, num_classes: int = 10, **backbone) -> dict:
    """A tiny classifier with the modules of the shipped configs."""
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(
            type='mmpretrain.CifarResNet',
            depth=depth,
            base_channels=4,
            **backbone),
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(
            type='mmpretrain.LinearClsHead',
            num_classes=num_classes,
            in_channels=16,
            loss=dict(type='mmpretrain.CrossEntropyLoss')))


def distillation(**changes) -> dict:
    """A tiny GLD model with an untrained teacher."""
    cfg = dict(
        type='mmrazor.GLDDistill',
        architecture=classifier(),
        teacher=classifier(14),
        data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor'),
        distiller=dict(type='mmrazor.GLDDistiller'))
    cfg.update(copy.deepcopy(changes))
    return cfg


@pytest.fixture(autouse=True)
def _fresh_globals():
    """Leave no logger, hub or scope of one test to the next."""
    yield
    for manager in (MMLogger, MessageHub, DefaultScope, Visualizer):
        manager._instance_dict.clear()


@pytest.fixture
def mmpretrain_scope():
    init_default_scope('mmpretrain')


@pytest.fixture
def batch():
    """Eight images of four classes with their annotations."""
    from mmpretrain.structures import DataSample
    torch.manual_seed(0)
    images = torch.randn(8, 3, 16, 16)
    return images, [DataSample().set_gt_label(i % 4) for i in range(8)]
