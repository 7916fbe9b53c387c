# Copyright (c) gld_mm authors. All rights reserved.
import copy
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.models import ResNet_CIFAR
from mmpretrain.structures import DataSample
from mmrazor.registry import MODELS

from gld_mm.config import distill
from gld_mm.config.pair import CHECKS
from gld_mm.engine.hooks import DataCheckHook
from gld_mm.errors import UserError

from ..conftest import classifier

ROOT = Path(__file__).parents[2]
PREPROCESSOR = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    num_classes=10)


def training(depth=8, **model):
    """The config of a tiny classifier, without the scopes of its parts."""
    network = copy.deepcopy(dict(classifier(depth), type='ImageClassifier'))
    return Config(
        dict(
            default_scope='mmpretrain',
            data_preprocessor=dict(PREPROCESSOR),
            model=dict(network, **model)))


@pytest.fixture
def checkpoint(tmp_path):
    """The weights of a teacher."""
    init_default_scope('mmpretrain')
    path = tmp_path / 'teacher.pth'
    torch.save(MODELS.build(classifier(14)).state_dict(), path)
    return str(path)


def losses_of(cfg):
    init_default_scope('mmpretrain')
    model = MODELS.build(cfg.model).train()
    torch.manual_seed(0)
    data = dict(
        inputs=torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8),
        data_samples=[DataSample().set_gt_label(i) for i in range(4)])
    data = model.data_preprocessor(data, True)
    return model, data, model(**data, mode='loss')


@pytest.mark.parametrize('method, terms', [
    ('gld', {'loss_global', 'loss_local', 'loss_relation'}),
    ('kd', {'loss_kl'}),
])
def test_a_pair_of_configs_trains(checkpoint, method, terms):
    cfg = distill(training(), training(14), checkpoint, method)
    model, data, losses = losses_of(cfg)
    assert {k
            for k in losses if 'loss' in k
            } == {'student.loss', *(f'distill.{x}' for x in terms)}
    alone = MODELS.build(cfg.model.architecture)
    alone.load_state_dict(model.state_dict())
    alone = alone(**data, mode='loss')['loss']
    share = {'gld': 0.3, 'kd': 0.1}[method]
    torch.testing.assert_close(losses['student.loss'], share * alone)


def test_kd_compares_what_the_networks_put_out(checkpoint):
    cfg = distill(training(), training(14), checkpoint, 'kd')
    model, data, losses = losses_of(cfg)
    student, teacher = ((network(data['inputs']) / 4).log_softmax(1)
                        for network in (model, model.teacher))
    expected = 0.9 * 16 * (teacher.exp() * (teacher - student)).sum(1).mean()
    torch.testing.assert_close(losses['distill.loss_kl'], expected)


def test_the_batch_augmentation_of_the_student_stays(checkpoint):
    mixup = dict(augments=[dict(type='Mixup', alpha=1e6)])
    student = training(train_cfg=mixup)
    cfg = distill(student, training(14, train_cfg=mixup), checkpoint)
    _, data, _ = losses_of(cfg)
    scores = torch.stack([x.gt_score for x in data['data_samples']])
    assert ((scores > 0).sum(1) <= 2).all() and (scores > 0).sum() > 4
    assert student.model.type == 'ImageClassifier'  # not changed


def test_the_runner_gives_the_pair_the_preprocessing_of_the_student(
        checkpoint):
    cfg = distill(training(), training(14), checkpoint)
    # What mmengine's Runner does
    cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    model, data, _ = losses_of(cfg)
    assert data['inputs'].mean().abs() < 1


def test_the_config_can_be_written_and_read(checkpoint, tmp_path):
    cfg = distill(training(), training(14), checkpoint)
    cfg.dump(tmp_path / 'pair.py')
    assert Config.fromfile(tmp_path / 'pair.py').model == cfg.model


def test_other_classes_are_an_error_that_says_what_to_do(checkpoint):
    teacher = training(14)
    teacher.model.head.num_classes = 7
    with pytest.raises(
            UserError, match='has 10 classes, the teacher 7: .*fine-tune'):
        distill(training(), teacher, checkpoint)
    cfg = distill(
        training(), teacher, checkpoint, teacher_classes=[*'abcdefg', 0, 1, 2])
    assert cfg.model.teacher_classes == [*'abcdefg', 0, 1, 2]
    with pytest.raises(UserError, match='10 classes, the teacher 2: .*--teac'):
        distill(training(), teacher, checkpoint, teacher_classes=[0, 1])


@pytest.mark.parametrize(
    'kind', ['DataCheckHook', 'gld_mm.engine.DataCheckHook', DataCheckHook])
def test_the_pair_is_checked_and_keeps_the_hooks_of_the_student(
        checkpoint, kind):
    student = training()
    student.custom_hooks = [dict(type='EMAHook'), dict(type=kind)]
    hooks = distill(student, training(14), checkpoint).custom_hooks
    assert [hook.type for hook in hooks
            ] == ['EMAHook', kind, 'FiniteLossHook', 'CheckpointCheckHook']
    assert len(student.custom_hooks) == 2


@pytest.mark.parametrize('imports, expected', [
    ([], ['gld_mm']),
    ('mine', ['mine', 'gld_mm']),
    (['gld_mm', 'mine'], ['gld_mm', 'mine']),
])
def test_the_pair_imports_what_the_student_does(checkpoint, imports, expected):
    student = training()
    student.custom_imports = dict(imports=imports)
    pair = distill(student, training(14), checkpoint)
    assert pair.custom_imports.imports == expected


def test_the_checks_of_a_pair_are_some_of_the_runtimes():
    runtime = Config.fromfile(ROOT / 'configs/_base_/gld_runtime.py')
    assert {*CHECKS} <= {hook.type for hook in runtime.gld_custom_hooks}


def test_a_new_style_config_whose_types_are_classes_is_a_student(
        checkpoint, tmp_path):
    path = tmp_path / 'new_style.py'
    path.write_text('''
from mmengine.dataset import RepeatDataset
from mmpretrain.datasets import CIFAR100, PackInputs, RandomResizedCrop
from mmpretrain.models import (CrossEntropyLoss, GlobalAveragePooling,
                               ImageClassifier, LinearClsHead, ResNet_CIFAR)
default_scope = 'mmpretrain'
data_preprocessor = dict(
    mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
    num_classes=10)
model = dict(
    type=ImageClassifier,
    backbone=dict(type=ResNet_CIFAR, depth=18, base_channels=8),
    neck=dict(type=GlobalAveragePooling),
    head=dict(
        type=LinearClsHead, in_channels=64, num_classes=10,
        loss=dict(type=CrossEntropyLoss)))
train_dataloader = dict(dataset=dict(
    type=RepeatDataset, times=2, dataset=dict(
        type=CIFAR100, data_root='data',
        pipeline=[dict(type=RandomResizedCrop, scale=16),
                  dict(type=PackInputs)])))
''')
    teacher = training(14)
    teacher.train_dataloader = dict(
        dataset=dict(pipeline=[dict(type='Resize', scale=32)]))
    cfg = distill(str(path), teacher, checkpoint)
    assert cfg.model.teacher_size == (32, 32)
    model, _, losses = losses_of(cfg)
    assert type(model).__name__ == 'DistilledImageClassifier'
    assert losses['distill.loss_local'] > 0
    # An argument, too, may be a class.
    assert cfg.model.architecture.backbone.type is ResNet_CIFAR
    cfg.dump(tmp_path / 'dumped.py')
    losses_of(Config.fromfile(tmp_path / 'dumped.py'))


def test_a_teacher_without_weights_is_an_error():
    with pytest.raises(UserError, match='--teacher-ckpt'):
        distill(training(), training(14))


def test_a_model_of_the_zoo_brings_its_weights():
    student = training()
    student.model.head.num_classes = 1000
    cfg = distill(student, 'resnet34_8xb32_in1k')
    assert cfg.model.teacher.backbone.depth == 34
    assert cfg.model.teacher.data_preprocessor.to_rgb
    # OpenMMLab's files and OneDL's lie on different servers.
    assert re.fullmatch(r'https://.*/resnet34_8xb32_in1k_20210831-.*\.pth',
                        cfg.model.teacher_ckpt)
    with pytest.raises(UserError, match='no model of mmpretrain'):
        distill(student, 'resnet35')


def test_the_teacher_sees_its_own_normalisation(checkpoint):
    other = training(14)
    other.data_preprocessor = dict(
        PREPROCESSOR, mean=[0., 0., 0.], std=[255.] * 3, to_rgb=True)
    cfg = distill(training(), other, checkpoint)
    model, data, _ = losses_of(cfg)
    seen = []
    model.teacher.backbone.register_forward_pre_hook(
        lambda module, args: seen.append(args[0]))
    model(**data, mode='loss')
    torch.manual_seed(0)
    images = torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8)
    torch.testing.assert_close(seen[-1], images.flip(1) / 255)
    cfg.model.map_teacher_input = False
    model, data, _ = losses_of(cfg)
    assert model.map_input is None


@pytest.mark.parametrize('ours, theirs, expected', [
    (160, 224, (224, 224)),
    (224, 224, None),
    (None, 224, None),
    (160, (192, 224), (192, 224)),
])
def test_the_teacher_sees_images_of_the_size_of_its_own_training(
        checkpoint, ours, theirs, expected):
    student, teacher = training(), training(14)
    for cfg, size in ((student, ours), (teacher, theirs)):
        pipeline = [
            dict(type='LoadImageFromFile'),
            dict(type='ResizeEdge', scale=256),
            dict(type='PackInputs')
        ]
        if size:
            pipeline.insert(2, dict(type='RandomResizedCrop', scale=size))
        cfg.train_dataloader = dict(dataset=dict(pipeline=pipeline))
    model = distill(student, teacher, checkpoint).model
    assert model.get('teacher_size') == expected


def test_resize_names_the_width_first(checkpoint):
    student, teacher = training(), training(14)
    for cfg, size in ((student, (32, 16)), (teacher, (64, 32))):
        cfg.train_dataloader = dict(
            dataset=dict(pipeline=[dict(type='Resize', scale=size)]))
    cfg = distill(student, teacher, checkpoint)
    assert cfg.model.teacher_size == (32, 64)
    del cfg.model.teacher['data_preprocessor']
    model, data, _ = losses_of(cfg)
    assert model.as_teacher_sees(data['inputs']).shape[2:] == (32, 64)


def test_a_head_that_does_not_say_its_number_of_classes_is_taken(checkpoint):
    student = training()
    student.model = dict(type='TimmClassifier', model_name='resnet10t')
    assert distill(student, training(14), checkpoint).model.teacher_ckpt


def test_of_distillations_the_students_are_paired(checkpoint):
    first = distill(training(), training(14), checkpoint)
    second = distill(first, first, checkpoint)
    assert second.model.architecture == first.model.architecture
    assert second.model.teacher == first.model.architecture


def test_a_student_may_be_without_hooks_and_scope(checkpoint):
    student = training()
    student.default_hooks = None
    cfg = distill(student, training(14), checkpoint)
    assert cfg.default_hooks.teacher_val.type == 'mmrazor.TeacherValHook'
    student.pop('default_scope')
    with pytest.raises(
            UserError, match='"resnet8" is no config file, and the student '):
        distill(student, 'resnet8', checkpoint)


def test_a_config_without_a_model_is_an_error(checkpoint):
    with pytest.raises(UserError, match='has no model'):
        distill(
            Config(dict(default_scope='mmpretrain')), training(14), checkpoint)
