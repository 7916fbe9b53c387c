# Copyright (c) gld_mm authors. All rights reserved.
"""mmdet and mmsegmentation do not import without mmcv's compiled operators.

Full mmcv has no wheel on PyPI, and mmcv-lite has no ``mmcv._ext``. Of all its
operators SSD300 and DeepLabV3+ call one, NMS, which torchvision has as well.

Upstream: https://github.com/open-mmlab/mmdetection/issues/10619 and
https://github.com/open-mmlab/mmcv/issues/3316
"""
import sys
import types
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Callable

from torch import Tensor

_NAME = 'mmcv._ext'


def is_faulty() -> bool:
    """Whether the installed mmcv has no compiled operators."""
    return find_spec(_NAME) is None


def repair() -> None:
    """Put a stand-in for ``mmcv._ext`` that has NMS and names the rest."""
    stand_in = types.ModuleType(_NAME, __doc__)
    # mmcv and mmengine look for the spec of the module before they use it.
    stand_in.__spec__ = ModuleSpec(_NAME, loader=None)
    stand_in.nms = nms  # type: ignore[attr-defined]
    stand_in.__getattr__ = _missing  # type: ignore[method-assign]
    sys.modules[_NAME] = stand_in


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float,
        offset: int) -> Tensor:
    """Non-maximum suppression with the signature of ``mmcv._ext.nms``.

    Args:
        boxes (Tensor): Boxes ``(N, 4)`` as x1, y1, x2, y2, in pixels.
        scores (Tensor): Scores ``(N, )``.
        iou_threshold (float): Boxes that overlap a better one by more go.
        offset (int): 1 where x2, y2 are the last pixel inside a box, 0 where
            they are its border.

    Returns:
        Tensor: Indices of the boxes to keep, best first, ``(M, )``.
    """
    from torchvision.ops import nms as torchvision_nms
    if offset:
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    return torchvision_nms(boxes, scores, iou_threshold)


def _missing(name: str) -> Callable:
    if name.startswith('__'):
        raise AttributeError(name)

    def operator(*args, **kwargs):
        raise ImportError(
            f'The operator {name} is compiled code of full mmcv, and '
            'mmcv-lite is installed: pip uninstall mmcv-lite, then build '
            'mmcv 2.1.0 (docs/stacks.md).')

    return operator
