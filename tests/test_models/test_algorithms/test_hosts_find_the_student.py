# Copyright (c) gld_mm authors. All rights reserved.
"""Hooks, constructors and tools of the hosts work on a distilled student."""
import copy

import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import build_optim_wrapper
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS as CLS_MODELS
from mmrazor.registry import MODELS

from ...conftest import classifier, distillation

pytestmark = [
    pytest.mark.usefixtures('mmpretrain_scope'),
    pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
]


def convnext() -> dict:
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(
            type='mmpretrain.ConvNeXt',
            arch=dict(depths=[1, 1, 2, 1], channels=[4, 4, 8, 8])),
        head=dict(
            type='mmpretrain.LinearClsHead', num_classes=10, in_channels=8),
        train_cfg=dict(augments=[dict(type='Mixup', alpha=0.8)]))


def settings(model, **optim_wrapper) -> dict:
    """Learning rate and weight decay of each parameter."""
    wrapper = build_optim_wrapper(
        model,
        dict(
            optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
            **optim_wrapper))
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for p in group['params']
    }


def test_it_is_a_network_of_the_students_own_class():
    model = MODELS.build(distillation())
    assert isinstance(model, ImageClassifier)
    assert type(model).__name__ == 'DistilledImageClassifier'
    assert model.backbone.depth == 8 and model.teacher.backbone.depth == 14


def test_layer_wise_learning_rates_are_those_of_the_student_alone():
    decay = dict(
        constructor='LearningRateDecayOptimWrapperConstructor',
        paramwise_cfg=dict(layer_decay_rate=0.5))
    ours = settings(
        MODELS.build(distillation(architecture=convnext())), **decay)
    alone = settings(CLS_MODELS.build(convnext()), **decay)
    assert ours == alone and len({lr for lr, _ in ours.values()}) == 6


def test_a_key_at_the_beginning_of_a_name_finds_its_parameters():
    slower = dict(
        paramwise_cfg=dict(custom_keys={'backbone.': dict(lr_mult=0.1)}))
    rates = settings(MODELS.build(distillation()), **slower)
    assert rates['backbone.conv1.weight'][0] == pytest.approx(1e-4)
    assert rates['head.fc.weight'][0] == pytest.approx(1e-3)


def test_teacher_and_student_see_the_batch_that_the_students_config_mixes():
    images = torch.arange(2.)[:, None, None, None].expand(2, 3, 64, 64)
    model = MODELS.build(
        distillation(
            architecture=convnext(),
            data_preprocessor=dict(num_classes=10),
            teacher=classifier(14)))
    seen = []
    model.teacher.register_forward_pre_hook(
        lambda module, args: seen.append(args[0]))
    model.backbone.register_forward_pre_hook(
        lambda module, args: seen.append(args[0]))
    from mmpretrain.structures import DataSample
    samples = [DataSample().set_gt_label(i) for i in range(2)]
    torch.manual_seed(1)  # One in two draws mixes an image with itself.
    data = model.data_preprocessor(
        dict(inputs=list(images.byte()), data_samples=samples), training=True)
    model(**data, mode='loss')  # The first looks for the feature maps.
    seen.clear()
    model(**data, mode='loss')
    mixed = data['data_samples'][0].gt_score
    assert 0 < mixed[0] < 1 and mixed.sum() == pytest.approx(1)
    assert seen[0] is seen[1] and 0 < seen[0][0].mean() < 1


def test_a_hook_reaches_the_students_modules(batch):
    # mmdet's YOLOXModeSwitchHook and others set what a head does.
    model = MODELS.build(distillation())
    assert 'student.accuracy_top-1' not in model.loss(*batch)
    model.head.cal_acc = True
    assert 'student.accuracy_top-1' in model.loss(*batch)


def test_an_average_of_the_weights_shares_the_teacher():
    # What EMAHook makes of a model
    model = MODELS.build(distillation())
    averaged = ExponentialMovingAverage(model, momentum=0.5)
    assert averaged.module.teacher is model.teacher
    assert averaged.module.head.fc.weight is not model.head.fc.weight
    before = model.head.fc.weight.detach().clone()
    averaged.update_parameters(model)
    with torch.no_grad():
        model.head.fc.weight.add_(1)
    averaged.update_parameters(model)
    assert torch.allclose(averaged.module.head.fc.weight, before + 0.5)


@pytest.mark.parametrize('was_trained', [False, True])
def test_a_copy_is_a_student_of_the_same_teacher(batch, was_trained):
    model = MODELS.build(distillation())
    if was_trained:
        model.eval().loss(*batch)
    other = copy.deepcopy(model)
    assert type(other) is type(model) and other.teacher is model.teacher
    losses = [m.eval().loss(*batch) for m in (model, other)]
    assert losses[0] == losses[1]


def test_its_complexity_is_that_of_the_student_alone():
    count = sum(p.numel() for p in CLS_MODELS.build(classifier()).parameters())
    info = get_model_complexity_info(MODELS.build(distillation()), (3, 16, 16))
    assert info['params'] == count
