# Copyright (c) gld_mm authors. All rights reserved.
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
