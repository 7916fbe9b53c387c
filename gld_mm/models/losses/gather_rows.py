# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Sequence

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_rank, get_world_size
from torch import Tensor


def gather_rows(sets: Sequence[Tensor]) -> List[Tensor]:
    """Concatenate each set of rows over the processes of data parallelism.

    All sets travel in one message, after one that says how many rows each has.

    Every process then computes the same loss of all rows, and its gradient
    with respect to its own. That gradient is multiplied by the number of
    processes, because DistributedDataParallel averages the gradients of the
    processes, and the gradient of the loss is their sum.

    Args:
        sets (Sequence[Tensor]): Each ``(M, K)``. M may differ among the
            processes and be 0; K may differ among the sets.

    Returns:
        list[Tensor]: Each ``(sum of M, K)``; the sets themselves if there is
        only one process.
    """
    world_size = get_world_size()
    if world_size == 1:
        return list(sets)
    own = torch.cat([rows.flatten() for rows in sets])
    sizes = torch.stack(
        all_gather(
            own.new_tensor([rows.numel() for rows in sets],
                           dtype=torch.long))).tolist()
    longest = max(map(sum, sizes))
    messages = all_gather(F.pad(own.detach(), (0, longest - len(own))))
    if own.requires_grad:
        own.register_hook(lambda gradient: gradient * world_size)
    messages[get_rank()] = own
    parts = [
        message[:sum(size)].split(size)
        for message, size in zip(messages, sizes)
    ]
    return [
        torch.cat(part).view(-1, rows.shape[1])
        for rows, *part in zip(sets, *parts)
    ]
