# Copyright (c) gld_mm authors. All rights reserved.
"""How data-parallel processes start on any machine, and how they end."""
import gc

import torch
import torch.distributed as dist
from mmengine.config import Config


def launch_on_cpu(cfg: Config) -> None:
    """Start data-parallel processes on a machine without a GPU.

    mmengine's launcher selects a GPU for each process, and its wrapper names
    it; without one the processes talk by gloo, and synchronised batch norm,
    which is for GPUs, is left out.

    Args:
        cfg (Config): Config of a run; one with a GPU, or of a single process,
            is left alone.
    """
    if cfg.launcher != 'pytorch' or torch.cuda.is_available():
        return
    dist.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False)
    cfg.pop('sync_bn', None)


def end_processes() -> None:
    """End data-parallel processes that have done their work, all together.

    A thread of gloo may hold the last tensors that were sent. If it lets go of
    them while Python shuts down, the process aborts ("terminate called
    without an active exception") and takes a finished job with it. The threads
    end with their group, that is when no model holds it any more: drop the
    runner before.
    """
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
        gc.collect()  # a runner and its hooks hold each other
        dist.destroy_process_group()
