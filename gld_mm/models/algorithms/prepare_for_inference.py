# Copyright (c) gld_mm authors. All rights reserved.
import copy
import logging
from collections import Counter
from typing import Any, List, Tuple

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils._pytree import tree_flatten

Pair = Tuple[str, str]

# Largest difference of an output, relative to the largest output
_TOLERANCE = 1e-4


def prepare_for_inference(network: BaseModel) -> None:
    """Make the forward of a frozen network faster, in place.

    Batch norms are folded into the convolutions before them, and the weights
    become channels-last. The modules keep their names and hooks; a module
    whose output is hooked keeps that output. If the outputs on a random batch
    change by more than rounding, the network stays as it is and a line in the
    log says so.

    Args:
        network (BaseModel): The network, with its final weights, in eval mode.
    """
    try:
        pairs = _find_pairs(network)
        trial = _prepare(copy.deepcopy(network), pairs)
        difference = _difference(network, trial)
    except Exception as error:
        reason = f'it cannot be checked on a random batch ({error!r})'
    else:
        if difference <= _TOLERANCE:
            _prepare(network, pairs)
            return
        reason = f'its outputs would change by {difference:.1e} of the largest'
    print_log(
        f'{type(network).__name__} is not prepared for inference: {reason}.',
        'current', logging.WARNING)


def _find_pairs(module: nn.Module) -> List[Pair]:
    """Names of each convolution whose output only a batch norm reads."""
    try:
        nodes = fx.Tracer().trace(module).nodes
    except Exception:  # not every forward can be traced; its parts may be
        return [(f'{name}.{conv}', f'{name}.{norm}')
                for name, child in module.named_children()
                for conv, norm in _find_pairs(child)]
    calls = [node for node in nodes if node.op == 'call_module']
    times = Counter(node.target for node in calls)
    pairs = [(node.args[0], node) for node in calls
             if node.args and node.args[0] in calls]
    return [(conv.target, norm.target) for conv, norm in pairs
            if len(conv.users) == times[conv.target] == times[norm.target] == 1
            and _can_fold(
                module.get_submodule(conv.target),
                module.get_submodule(norm.target))]


def _can_fold(conv: nn.Module, norm: nn.Module) -> bool:
    hooked = conv._forward_hooks or norm._forward_hooks
    return (type(conv) is nn.Conv2d and isinstance(norm, _BatchNorm)
            and norm.running_mean is not None and not hooked)


def _prepare(network: nn.Module, pairs: List[Pair]) -> nn.Module:
    for conv_name, norm_name in pairs:
        conv: Any = network.get_submodule(conv_name)
        norm: Any = network.get_submodule(norm_name)
        fused = fuse_conv_bn_eval(conv, norm)
        conv.weight, conv.bias = fused.weight, fused.bias
        parent, _, name = norm_name.rpartition('.')
        setattr(network.get_submodule(parent), name, nn.Identity().eval())
    return network.to(  # type: ignore[call-overload]
        memory_format=torch.channels_last)


@torch.no_grad()
def _difference(network: BaseModel, other: BaseModel) -> float:
    """Largest difference of an output, relative to the largest output."""
    weight = next(network.parameters())
    generator = torch.Generator().manual_seed(0)
    # TF32 rounds to 1e-3, with or without batch norms.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for size in (64, 320):  # detectors need more than 64 pixels
            images = torch.randn(2, 3, size, size, generator=generator)
            images = images.to(weight)
            try:
                outputs, _ = tree_flatten(network(images, mode='tensor'))
                break
            except RuntimeError:
                if size == 320:
                    raise
        others, _ = tree_flatten(other(images, mode='tensor'))
    return torch.stack([(a - b).abs().max() / a.abs().max().clamp(min=1e-12)
                        for a, b in zip(outputs, others)
                        ]).max().item()  # which is NaN if one is
