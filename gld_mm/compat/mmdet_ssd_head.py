# Copyright (c) gld_mm authors. All rights reserved.
"""``SSDHead.predict`` raises in mmdet 3.2.0 and 3.3.0.

``BaseDenseHead`` asks ``self.loss_cls`` for its activation; the SSD head
computes its losses by itself and has no such attribute.

Upstream: https://github.com/open-mmlab/mmdetection/issues/11063, 11305, 11780
"""
from inspect import getsource
from types import ModuleType

from wrapt import register_post_import_hook


def is_faulty(ssd_head: ModuleType) -> bool:
    """Whether this ``mmdet.models.dense_heads.ssd_head`` has the fault."""
    head = ssd_head.SSDHead
    predict = getsource(head._predict_by_feat_single)
    return 'self.loss_cls' in predict and not hasattr(
        head, 'loss_cls') and 'self.loss_cls' not in getsource(head.__init__)


def repair(ssd_head: ModuleType) -> None:
    """Give the head the attribute: no loss module, hence no activation."""
    ssd_head.SSDHead.loss_cls = None


def repair_when_imported() -> None:
    """Repair as soon as something imports mmdet, and not before."""

    def hook(ssd_head: ModuleType) -> None:
        if is_faulty(ssd_head):
            repair(ssd_head)

    register_post_import_hook(hook, 'mmdet.models.dense_heads.ssd_head')
