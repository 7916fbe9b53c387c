# Copyright (c) gld_mm authors. All rights reserved.
"""``SSDHead.predict`` raises in mmdet 3.2.0 and 3.3.0.

``BaseDenseHead`` asks ``self.loss_cls`` for its activation; the SSD head
computes its losses by itself and has no such attribute.

Upstream: https://github.com/open-mmlab/mmdetection/issues/11063, 11305, 11780
"""
from types import ModuleType

import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope


def is_faulty(ssd_head: ModuleType) -> bool:
    """Whether the head of this module cannot predict for want of it."""
    # A probe leaves the stream of random numbers where it was.
    with DefaultScope.overwrite_default_scope('mmdet'), torch.no_grad(), \
            torch.random.fork_rng(devices=[]):
        try:
            head = ssd_head.SSDHead(
                num_classes=1,
                in_channels=(1, ),
                anchor_generator=dict(
                    type='SSDAnchorGenerator',
                    basesize_ratio_range=(0.2, 0.9),
                    scale_major=False,
                    strides=[32],
                    ratios=[[2]],
                    min_sizes=[30],
                    max_sizes=[60]))
            head.predict_by_feat(
                *head((torch.zeros(1, 1, 1, 1), )),
                batch_img_metas=[dict(img_shape=(32, 32))],
                cfg=ConfigDict(),
                with_nms=False)
        except Exception as error:
            return 'loss_cls' in str(error)
    return False


def repair(ssd_head: ModuleType) -> None:
    """Give the head the attribute: no loss module, hence no activation."""
    ssd_head.SSDHead.loss_cls = None
