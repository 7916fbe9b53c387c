# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmengine.config import ConfigDict
from mmpretrain.registry import MODELS as CLS_MODELS
from mmrazor.registry import MODELS

from gld_mm.errors import UserError
from gld_mm.models.algorithms.select_classes import select_classes

from ...conftest import classifier, distillation

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')
IMAGES = torch.rand(2, 3, 16, 16)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CLS_MODELS.build(classifier(num_classes=4)).eval()


def test_its_logits_are_those_of_the_classes_in_their_new_order(network):
    before = network(IMAGES)
    select_classes(network, [3, 0, 1])
    torch.testing.assert_close(network(IMAGES), before[:, [3, 0, 1]])
    assert network.head.num_classes == 3


def test_names_are_those_that_its_checkpoint_knows(network):
    before = network(IMAGES)
    network.dataset_meta = dict(classes=['ant', 'bee', 'cow', 'dog'])
    select_classes(network, ['dog', 'ant'])
    torch.testing.assert_close(network(IMAGES), before[:, [3, 0]])
    assert network.dataset_meta['classes'] == ['dog', 'ant']


@pytest.mark.parametrize('classes', [[4], [-1], ['cat']])
def test_a_class_that_it_does_not_have_is_an_error(network, classes):
    network.dataset_meta = dict(classes=['ant', 'bee', 'cow', 'dog'])
    with pytest.raises(UserError, match='no class .* 4 classes: ant'):
        select_classes(network, classes)


def test_a_name_needs_a_checkpoint_that_has_names(network):
    with pytest.raises(
            UserError, match='4 classes, and its checkpoint names none'):
        select_classes(network, ['cat'])


def test_a_head_without_a_known_classifier_is_an_error(network):
    network.head.num_classes = 5  # No layer has 5 outputs.
    with pytest.raises(UserError, match='no classifier whose outputs'):
        select_classes(network, [0])


def test_a_teacher_of_more_classes_teaches_some_of_them(
        tmp_path, batch, network):
    path = str(tmp_path / 'teacher.pth')
    teacher = CLS_MODELS.build(classifier(14, num_classes=20))
    torch.save(teacher.state_dict(), path)
    model = MODELS.build(
        distillation(
            teacher=classifier(14, num_classes=20),
            teacher_ckpt=path,
            teacher_classes=list(range(19, 9, -1))))
    expected = teacher.eval()(batch[0])[:, range(19, 9, -1)]
    torch.testing.assert_close(model.teacher(batch[0]), expected)
    assert model.loss(*batch)['distill.loss_global'] > 0


def test_classes_of_a_teacher_that_is_loaded_later_are_an_error():
    teacher = dict(
        classifier(14, num_classes=20),
        init_cfg=dict(type='Pretrained', checkpoint='teacher.pth'))
    with pytest.raises(UserError, match='needs the weights as teacher_ckpt'):
        MODELS.build(
            distillation(teacher=teacher, teacher_classes=list(range(10))))


@pytest.mark.parametrize('cascade', [False, True])
def test_a_segmentation_teacher_slides_over_images_with_its_new_classes(
        cascade):
    registry = pytest.importorskip('mmseg.registry')
    head = dict(
        type='FCNHead',
        in_channels=8,
        in_index=0,
        channels=4,
        num_convs=1,
        num_classes=5)
    last = {**head, 'type': 'OCRHead', 'ocr_channels': 4}
    del last['num_convs']
    network = registry.MODELS.build(
        ConfigDict(
            type='CascadeEncoderDecoder' if cascade else 'EncoderDecoder',
            _scope_='mmseg',
            backbone=dict(
                type='MobileNetV2', widen_factor=0.1, out_indices=(0, 1)),
            decode_head=[head, last] if cascade else head,
            test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(16, 16)),
            **(dict(num_stages=2) if cascade else {}))).eval()
    images, metas = torch.rand(
        1, 3, 48, 48), [dict(img_shape=(48, 48), ori_shape=(48, 48))]
    with torch.no_grad():
        before = network.inference(images, metas)
        select_classes(network, [3, 0])
        after = network.inference(images, metas)
    torch.testing.assert_close(after, before[:, [3, 0]])


def test_a_hidden_layer_as_wide_as_the_classes_is_an_error():
    network = CLS_MODELS.build(
        dict(
            classifier(num_classes=4),
            head=dict(
                type='StackedLinearClsHead',
                num_classes=4,
                in_channels=16,
                mid_channels=[4])))
    with pytest.raises(UserError, match='hidden layer of 4 outputs'):
        select_classes(network, [0, 1])
