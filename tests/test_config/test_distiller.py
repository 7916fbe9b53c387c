# Copyright (c) gld_mm authors. All rights reserved.
import pytest

from gld_mm.config import distill, read_config
from gld_mm.errors import UserError

from .test_pair import training


def stock(host, config, method='gld'):
    """The distiller of a stock network that teaches itself."""
    pytest.importorskip(host)
    cfg = read_config(f'{host}::{config}')
    return distill(cfg, cfg, 'any.pth', method).model.distiller


def test_a_segmentation_network_gets_the_dense_distiller():
    path = 'pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py'
    distiller = stock('mmseg', path)
    assert distiller.type == 'mmrazor.DenseGLDDistiller'
    assert distiller.cls_out_channels == 19
    assert distiller.labels == ('mmseg.models.decode_heads.decode_head.'
                                'BaseDecodeHead._stack_batch_gt')
    distiller = stock('mmseg', path, 'kd')
    assert distiller.connectors.rows.cls_out_channels == 19


@pytest.mark.parametrize('config, classes, labels', [
    ('ocrnet/ocrnet_hr18s_4xb2-40k_cityscapes-512x1024.py', 19,
     'BaseDecodeHead'),
    ('knet/knet-s3_r50-d8_fcn_8xb2-adamw-80k_ade20k-512x512.py', 150,
     'BaseDecodeHead'),
    ('pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py', 19, 'PIDHead'),
])
def test_a_cascade_and_a_head_with_its_own_labels(config, classes, labels):
    distiller = stock('mmseg', config)
    assert distiller.cls_out_channels == classes
    assert distiller.labels.endswith(f'.{labels}._stack_batch_gt')


@pytest.mark.parametrize('ignored', [0, 255])
def test_what_the_head_ignores_is_not_compared_either(ignored):
    pytest.importorskip('mmseg')
    cfg = read_config(
        'mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py')
    cfg.model.decode_head.ignore_index = ignored
    found = distill(cfg, cfg, 'any.pth').model.distiller
    assert found.ignore_index == ignored


@pytest.mark.parametrize('config, distiller, channels', [
    ('ssd/ssd300_coco.py', 'DenseGLDDistiller', 81),
    ('retinanet/retinanet_r18_fpn_1x_coco.py', 'SigmoidDenseGLDDistiller', 80),
    ('fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py', 'SigmoidDenseGLDDistiller',
     80),
    ('yolox/yolox_tiny_8xb8-300e_coco.py', 'SigmoidDenseGLDDistiller', 80),
])
def test_a_dense_detector_gets_the_distiller_of_its_scores(
        config, distiller, channels):
    found = stock('mmdet', config)
    assert found == dict(
        type=f'mmrazor.{distiller}', cls_out_channels=channels)


@pytest.mark.parametrize('host, config, message', [
    ('mmdet', 'faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
     'GLD takes no FasterRCNN: .* plain ones of one stage, such as SSD and'),
    ('mmdet', 'detr/detr_r50_8xb2-150e_coco.py', 'GLD takes no DETRHead'),
    ('mmdet', 'yolo/yolov3_d53_8xb8-320-273e_coco.py',
     'YOLOV3Head, which does not output a logit of each class at each pos'),
    ('mmdet', 'tood/tood_r50_fpn_1x_coco.py', 'GLD takes no TOODHead'),
    ('mmdet', 'yolact/yolact_r50_1xb8-55e_coco.py', 'GLD takes no YOLACT: '),
    ('mmdet', 'lad/lad_r50-paa-r101_fpn_2xb8_coco_1x.py',
     'GLD takes no LAD: '),
    ('mmdet', 'solo/solo_r50_fpn_1x_coco.py', 'GLD takes no SOLO: '),
    ('mmdet', 'centernet/centernet_r18_8xb16-crop512-140e_coco.py',
     'GLD takes no CenterNetHead'),
    ('mmseg', 'mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024.py',
     'GLD takes no Mask2FormerHead'),
    ('mmseg', 'point_rend/pointrend_r50_4xb2-80k_cityscapes-512x1024.py',
     'GLD takes no PointHead'),
])
def test_a_network_without_maps_of_scores_is_one_line(host, config, message):
    with pytest.raises(UserError, match=message):
        stock(host, config)


def test_kd_of_sigmoids_is_one_line():
    with pytest.raises(
            UserError, match='ends with sigmoids: use --method gld'):
        stock('mmdet', 'retinanet/retinanet_r18_fpn_1x_coco.py', 'kd')


@pytest.mark.parametrize('sigmoid', [True, False])
def test_a_head_with_one_output_or_many_labels_has_sigmoids(sigmoid):
    pytest.importorskip('mmseg')
    cfg = read_config('mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py')
    cfg.model.decode_head.update(num_classes=2)
    if sigmoid:
        cfg.model.decode_head.update(out_channels=1, threshold=0.5)
    distiller = distill(cfg, cfg, 'any.pth').model.distiller
    assert distiller.cls_out_channels == (1 if sigmoid else 2)
    assert distiller.get('sigmoid', False) == sigmoid
    cfg = training()
    if sigmoid:
        cfg.model.head = dict(
            type='MultiLabelLinearClsHead', in_channels=16, num_classes=10)
    distiller = distill(cfg, cfg, 'any.pth').model.distiller
    assert distiller.get('sigmoid', False) == sigmoid


def test_a_head_that_no_module_registers_is_one_line():
    pytest.importorskip('mmseg')
    cfg = read_config('mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py')
    cfg.model.decode_head.type = 'MyHead'
    with pytest.raises(UserError, match='MyHead is not in the registry'):
        distill(cfg, cfg, 'x.pth')
