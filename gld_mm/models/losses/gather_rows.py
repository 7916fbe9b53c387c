# Copyright (c) gld_mm authors. All rights reserved.
import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_rank, get_world_size
from torch import Tensor


def gather_rows(rows: Tensor) -> Tensor:
    """Concatenate the rows of all processes of data-parallel training.

    Every process computes the same loss of all rows, and its gradient with
    respect to its own. Those it multiplies by the number of processes, since
    DistributedDataParallel takes the mean of the gradients where their sum is
    that of the loss.

    Args:
        rows (Tensor): ``(M, K)``; M may differ among the processes and be 0.

    Returns:
        Tensor: ``(sum of M, K)``, ``rows`` itself without other processes.
    """
    world_size = get_world_size()
    if world_size == 1:
        return rows
    sizes = torch.cat(
        all_gather(torch.tensor([len(rows)], device=rows.device))).tolist()
    padded = F.pad(rows.detach(), (0, 0, 0, max(sizes) - len(rows)))
    parts = [part[:n] for part, n in zip(all_gather(padded), sizes)]
    own = rows.view_as(rows)
    if own.requires_grad:
        own.register_hook(lambda gradient: gradient * world_size)
    parts[get_rank()] = own
    return torch.cat(parts)
