# Copyright (c) gld_mm authors. All rights reserved.
"""What GLD compares of each kind of classifier of mmpretrain."""
import pytest
import torch
from mmpretrain.registry import MODELS as CLASSIFIERS
from mmpretrain.structures import DataSample
from mmrazor.registry import MODELS

from tools.docs.supported import FAMILIES as STOCK
from tools.docs.supported import try_families

from ...conftest import classifier

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')

LAYERS = dict(embed_dims=8, num_layers=2, num_heads=2, feedforward_channels=16)
VIT = dict(arch=LAYERS, img_size=32, patch_size=8)
GAP = dict(type='GlobalAveragePooling')


def linear(channels, **head):
    return dict(type='LinearClsHead', in_channels=channels) | head


def token(**head):
    return dict(type='VisionTransformerClsHead', in_channels=8) | head


# Backbone, neck and head, size of images, and where the map is
FAMILIES = dict(
    convnext=(dict(
        type='ConvNeXt',
        arch=dict(depths=[1] * 4,
                  channels=[4, 8, 8,
                            8])), None, linear(8), 64, 'backbone.stages.3'),
    convnext_pooled_by_neck=(dict(
        type='ConvNeXt',
        gap_before_final_norm=False,
        arch=dict(depths=[1] * 4,
                  channels=[4, 8, 8, 8])), GAP, linear(8), 64, 'backbone'),
    edgenext=(dict(
        type='EdgeNeXt',
        arch=dict(channels=[8] * 4, depths=[1] * 4, num_heads=[2] * 4)), None,
              linear(8), 64, 'backbone.stages.3'),
    gem=(dict(type='CifarResNet', depth=8, base_channels=4),
         dict(type='GeneralizedMeanPooling'), linear(16), 16, 'backbone'),
    hidden_layers=(dict(type='CifarResNet', depth=8, base_channels=4), GAP,
                   dict(
                       type='StackedLinearClsHead',
                       in_channels=16,
                       mid_channels=[12],
                       dropout_rate=0.2,
                       norm_cfg=dict(type='BN1d'),
                       act_cfg=dict(type='HSwish')), 16, 'backbone'),
    linear_neck=(dict(type='CifarResNet', depth=8, base_channels=4),
                 dict(
                     type='LinearNeck',
                     in_channels=16,
                     out_channels=12,
                     gap_dim=2), linear(12), 16, 'backbone'),
    mobilenet_v3=(dict(type='MobileNetV3', arch='small_050'), GAP,
                  dict(
                      type='StackedLinearClsHead',
                      in_channels=288,
                      mid_channels=[12],
                      act_cfg=dict(type='HSwish')), 64, 'backbone'),
    vig_head=(dict(type='CifarResNet', depth=8, base_channels=4), GAP,
              dict(type='VigClsHead', in_channels=16,
                   hidden_dim=12), 16, 'backbone'),
    lenet=(dict(type='LeNet5', num_classes=5), None, dict(type='ClsHead'), 32,
           'backbone.features.5'),
    alexnet=(dict(type='AlexNet', num_classes=5), None, dict(type='ClsHead'),
             224, 'backbone.features'),
    vit=(dict(type='VisionTransformer',
              **VIT), None, token(), 32, 'backbone.ln1'),
    vit_hidden=(dict(type='VisionTransformer',
                     **VIT), None, token(hidden_dim=6), 32, 'backbone.ln1'),
    vit_averaged=(dict(
        type='VisionTransformer', out_type='avg_featmap',
        **VIT), None, linear(8), 32, 'backbone.ln1'),
    deit=(dict(type='DistilledVisionTransformer',
               **VIT), None, dict(type='DeiTClsHead',
                                  in_channels=8), 32, 'backbone.ln1'),
    deit3=(dict(type='DeiT3', **VIT), None, token(), 32, 'backbone.ln1'),
    beit=(dict(type='BEiTViT',
               **VIT), None, linear(8), 32, 'backbone.layers.1'),
    mixer=(dict(
        type='MlpMixer',
        img_size=32,
        patch_size=8,
        arch=dict(
            embed_dims=8, num_layers=2, tokens_mlp_dims=8,
            channels_mlp_dims=8)), dict(GAP,
                                        dim=1), linear(8), 32, 'backbone'),
    tnt=(dict(
        type='TNT',
        img_size=32,
        patch_size=8,
        arch=dict(
            embed_dims_outer=8,
            embed_dims_inner=8,
            num_layers=2,
            num_heads_outer=2,
            num_heads_inner=2)), None, linear(8), 32, 'backbone.norm'),
    xcit=(dict(
        type='XCiT',
        patch_size=8,
        embed_dims=8,
        depth=1,
        cls_attn_layers=1,
        num_heads=2), None, linear(8), 32, 'backbone.norm'),
    revvit=(dict(type='RevVisionTransformer', **VIT), None,
            token(in_channels=16), 32, 'backbone.fusion_layer'),
)


def network(family):
    backbone, neck, head, size, found = FAMILIES[family]
    if head['type'] != 'ClsHead':
        head = dict(head, num_classes=5)
    head.setdefault('loss', dict(type='CrossEntropyLoss'))
    torch.manual_seed(0)
    model = CLASSIFIERS.build(
        dict(type='ImageClassifier', backbone=backbone, neck=neck, head=head))
    with torch.no_grad():  # Zeros, that some start with, would hide a mix-up.
        for weight in model.parameters():
            weight += 0.05 * torch.randn_like(weight)
    return model, torch.randn(2, 3 if family != 'lenet' else 1, size,
                              size), found


def distilled(student):
    return MODELS.build(
        dict(
            type='mmrazor.FrozenTeacherDistill',
            architecture=student,
            teacher=classifier(num_classes=5),
            distiller=dict(type='mmrazor.GLDDistiller')))


@pytest.mark.parametrize('family', FAMILIES)
@pytest.mark.filterwarnings('ignore:teacher_ckpt', 'ignore:MMPretrain cannot')
def test_the_logits_compared_are_those_of_the_network(family):
    student, images, found = network(family)
    student.eval()
    with torch.no_grad():
        expected = student(images)
    model = distilled(student)
    with torch.no_grad(), model.distiller.student_recorders:
        output = student(images)
    logits = model.distiller.logits(from_student=True)
    assert output.equal(expected) or torch.allclose(output, expected, 1e-5)
    torch.testing.assert_close(
        logits[:, 0], expected, rtol=1e-5, atol=1e-5 * expected.abs().max())
    assert logits.shape == (2, 5, 5)
    recorder = model.distiller.student_recorders.get_recorder('logits')
    assert recorder.cells.map_name == found
    # Cells differ, and each is of its own image.
    assert (logits[:, 1:].std(1) > 0).all()
    assert not logits[0, 1:].allclose(logits[1, 1:])


@pytest.mark.parametrize('family', sorted(FAMILIES.keys() - {'lenet'}))
@pytest.mark.filterwarnings('ignore:teacher_ckpt', 'ignore:MMPretrain cannot')
def test_it_trains(family):
    student, images, _ = network(family)
    model = distilled(student).train()
    losses = model.loss(images,
                        [DataSample().set_gt_label(i) for i in range(2)])
    total, _ = model.parse_losses(losses)
    total.backward()
    assert total.isfinite()
    assert losses['distill.loss_local'] > 0


@pytest.mark.slow
@pytest.mark.parametrize('family', STOCK)
def test_each_stock_family_has_local_logits(family):
    for row in try_families([family]):
        assert row.local, row
        assert row.difference < 1e-5, row
