# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Optional, Union

import torch
from mmengine.model import BaseModel
from torch import Tensor

from ..models import (DenseLogitConnector, FeatureWithClassifierRecorder,
                      GlobalLocalLogitConnector, ScoreMapsRecorder)
from .networks import record
from .samples import Sample


@torch.no_grad()
def global_local_logits_of(network: BaseModel,
                           samples: List[Sample],
                           grid: int = 2,
                           feature: Optional[str] = None,
                           classifier: Optional[str] = None) -> List[Tensor]:
    """What GLD compares of a classifier, detector or segmentation network.

    Args:
        network (BaseModel): A network of mmpretrain, mmdet or mmseg.
        samples (list[Sample]): Images, which may differ in size.
        grid (int): Rows and columns of local logits. Defaults to 2.
        feature (str, optional): Module of the feature map of a classifier.
            Defaults to None, 'backbone'.
        classifier (str, optional): Module that classifies, in a dense head the
            one that puts out the scores. Defaults to None: 'head.fc', the
            'bbox_head.cls_convs' of an SSD or 'decode_head.conv_seg'.

    Returns:
        list[Tensor]: Sets of logits ``(B, 1 + L, K)``, global first; one, or
        one of each level and anchor of a detector.
    """
    if hasattr(network, 'bbox_head') or hasattr(network, 'decode_head'):
        recorder, connector = _of_dense_head(network, grid, classifier)
    else:
        recorder = FeatureWithClassifierRecorder(feature or 'backbone',
                                                 classifier or 'head.fc')
        connector = GlobalLocalLogitConnector(grid)
    sets = [_listed(connector(x)) for x in record(network, samples, recorder)]
    return [torch.cat(logits).cpu() for logits in zip(*sets)]


def _of_dense_head(network: BaseModel, grid: int,
                   classifier: Optional[str]) -> tuple:
    if hasattr(network, 'bbox_head'):
        classifier = classifier or 'bbox_head.cls_convs'
        channels = network.bbox_head.cls_out_channels
    else:
        classifier = classifier or 'decode_head.conv_seg'
        channels = network.decode_head.out_channels
    return ScoreMapsRecorder(classifier), DenseLogitConnector(channels, grid)


def _listed(logits: Union[Tensor, List[Tensor]]) -> List[Tensor]:
    return logits if isinstance(logits, list) else [logits]
