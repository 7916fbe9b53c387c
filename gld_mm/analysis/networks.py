# Copyright (c) gld_mm authors. All rights reserved.
from typing import List

import torch
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import MODELS, init_default_scope
from mmrazor.models.task_modules.recorder import ModuleOutputsRecorder
from torch import Tensor

from ..utils import read_config, student_of
from ..utils.checkpoint import check_fits
from .samples import Sample


def load_network(config: str, checkpoint: str) -> BaseModel:
    """Build a network for testing.

    Args:
        config (str): Path of its config; of a distillation the student.
        checkpoint (str): Path or URL of its weights.

    Returns:
        BaseModel: In eval mode, on the GPU if there is one.

    Raises:
        UserError: If the checkpoint cannot be read or is of another network.
    """
    cfg = student_of(read_config(config))
    init_default_scope(cfg.default_scope)
    if 'data_preprocessor' in cfg:  # mmpretrain's runner hands it over
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    network = MODELS.build(cfg.model)
    network.load_state_dict(check_fits(network, checkpoint), strict=False)
    return network.to(get_device()).eval()


@torch.no_grad()
def record(network: BaseModel, samples: List[Sample],
           recorder: ModuleOutputsRecorder) -> list:
    """Run a network on images, one at a time, and read a recorder.

    Args:
        network (BaseModel): See :func:`load_network`.
        samples (list[Sample]): Images, which may differ in size.
        recorder (ModuleOutputsRecorder): A new one.

    Returns:
        list: What it recorded of each image.
    """
    recorder.initialize(network)
    records = []
    for sample in samples:
        data = network.data_preprocessor(
            pseudo_collate([sample.packed]), False)
        with recorder:
            network(data['inputs'], data['data_samples'], mode='tensor')
        records.append(recorder.get_record_data())
    return records


def feature_maps_of(network: BaseModel,
                    samples: List[Sample],
                    feature: str = 'backbone') -> List[Tensor]:
    """The feature map of each image.

    Args:
        network (BaseModel): See :func:`load_network`.
        samples (list[Sample]): Images.
        feature (str): Module that puts it out; of several maps the last is
            taken. Defaults to 'backbone'.

    Returns:
        list[Tensor]: ``(C, H, W)`` each.
    """
    maps = record(network, samples, ModuleOutputsRecorder(feature))
    maps = [x[-1] if isinstance(x, (tuple, list)) else x for x in maps]
    return [x[0].float().cpu() for x in maps]
