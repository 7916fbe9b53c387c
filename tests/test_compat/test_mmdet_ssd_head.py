# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch

mmdet = pytest.importorskip('mmdet')


def predict():
    from mmdet.structures import DetDataSample
    from mmdet.utils import register_all_modules
    register_all_modules()
    from mmdet.models.dense_heads import SSDHead
    from mmengine.config import ConfigDict
    head = SSDHead(
        num_classes=3,
        in_channels=(4, ),
        anchor_generator=dict(
            type='SSDAnchorGenerator',
            basesize_ratio_range=(0.2, 0.9),
            scale_major=False,
            strides=[32],
            ratios=[[2]],
            min_sizes=[30],
            max_sizes=[60]),
        test_cfg=ConfigDict(
            nms_pre=100,
            nms=dict(type='nms', iou_threshold=0.45),
            score_thr=0.01,
            max_per_img=20))
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(64, 64), scale_factor=(1., 1.), ori_shape=(64, 64)))
    return head.predict((torch.rand(1, 4, 2, 2), ), [sample])


def test_an_ssd_head_predicts():
    result = predict()[0]
    assert result.bboxes.shape[1] == 4 and len(result.scores) > 0


def test_it_would_not_without_the_repair(monkeypatch):
    from mmdet.models.dense_heads import SSDHead, ssd_head

    from gld_mm.compat import mmdet_ssd_head
    monkeypatch.delattr(SSDHead, 'loss_cls', raising=False)
    if not mmdet_ssd_head.is_faulty(ssd_head):
        pytest.skip('this mmdet has no such fault')
    with pytest.raises(AttributeError, match='loss_cls'):
        predict()


def test_the_probe_draws_no_random_number():
    from mmdet.models.dense_heads import ssd_head

    from gld_mm.compat import mmdet_ssd_head
    before = torch.get_rng_state()
    assert not mmdet_ssd_head.is_faulty(ssd_head)
    assert torch.equal(torch.get_rng_state(), before)
