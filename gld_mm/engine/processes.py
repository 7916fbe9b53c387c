# Copyright (c) gld_mm authors. All rights reserved.
"""Data-parallel processes: their model and their end."""
import atexit
import gc
from typing import Any

import torch.distributed as dist
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn


def unwrapped(model: Any) -> Any:
    """The model itself, without what joins its processes or augments tests."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def teacher_of(model: nn.Module) -> Any:
    """The frozen teacher of a distilled student, which is no submodule."""
    return vars(unwrapped(model)).get('teacher')


def end_together_at_exit() -> None:
    """End data-parallel processes that have done their work, all together.

    A thread of gloo may hold the last tensors that were sent. If it lets go of
    them while Python shuts down, the process aborts ("terminate called
    without an active exception") and takes a finished job with it. The threads
    end with their group, that is when no model holds it any more.
    """
    if dist.is_available() and dist.is_initialized():
        atexit.unregister(_end)
        atexit.register(_end)


def _end() -> None:
    if dist.is_initialized():
        dist.barrier()
        gc.collect()  # a runner and its hooks hold each other
        dist.destroy_process_group()
