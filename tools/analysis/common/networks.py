# Copyright (c) gld_mm authors. All rights reserved.
from typing import Any, Callable, ContextManager, List

import torch
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import MODELS, init_default_scope
from mmrazor.models.task_modules.recorder import ModuleOutputsRecorder
from torch import Tensor

from gld_mm.config import model_of, read_config, student_of
from gld_mm.engine.checkpoint import dataset_meta_of, load_checkpoint

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
    network = MODELS.build(model_of(cfg))
    network.dataset_meta = dataset_meta_of(
        load_checkpoint(network, checkpoint))
    return network.to(get_device()).eval()


@torch.no_grad()
def record(network: BaseModel, samples: List[Sample], recorder: ContextManager,
           read: Callable[[], Any]) -> list:
    """Run a network on images, one at a time, and read what was recorded.

    Args:
        network (BaseModel): See :func:`load_network`.
        samples (list[Sample]): Images, which may differ in size.
        recorder (ContextManager): Records a forward pass of the network.
        read (Callable): Returns what was recorded.

    Returns:
        list: One item for each image.
    """
    records = []
    for sample in samples:
        data = network.data_preprocessor(
            pseudo_collate([sample.packed]), False)
        with recorder:
            network(data['inputs'], data['data_samples'], mode='tensor')
        records.append(read())
    return records


def feature_maps(network: BaseModel, samples: List[Sample],
                 module: str) -> List[Tensor]:
    """Compute a feature map of each image.

    Args:
        network (BaseModel): See :func:`load_network`.
        samples (list[Sample]): Images.
        module (str): Module that returns it; of several maps the last counts.

    Returns:
        list[Tensor]: ``(C, H, W)`` each.
    """
    recorder = ModuleOutputsRecorder(module)
    recorder.initialize(network)
    maps = record(network, samples, recorder, recorder.get_record_data)
    maps = [x[-1] if isinstance(x, (tuple, list)) else x for x in maps]
    return [x[0].float().cpu() for x in maps]
