# Copyright (c) gld_mm authors. All rights reserved.
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor, nn


class Call(NamedTuple):
    """One call of a module in a forward."""
    name: str
    module: nn.Module
    inputs: List[Tensor]
    output: Any

    @property
    def outputs(self) -> List[Tensor]:
        """The tensors of the output."""
        return tensors(self.output)


def trace(network: nn.Module, images: Tensor) -> Tuple[List[Call], Any]:
    """Run a network and note which modules it calls.

    Args:
        network (nn.Module): A network of mmengine, in eval mode.
        images (Tensor): ``(B, 3, H, W)``.

    Returns:
        tuple[list[Call], Any]: The calls in the order in which they end, and
        what the network outputs.
    """
    calls: List[Call] = []

    def note(name: str) -> Callable:
        return lambda module, args, output: calls.append(
            Call(name, module, tensors(args), output))

    handles = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules() if name
    ]
    try:
        return calls, network(images, mode='tensor')
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def as_in_testing(network: nn.Module) -> Iterator[None]:
    """Put a network into eval mode, without gradients, for a while."""
    modes = {module: module.training for module in network.modules()}
    for module in modes:
        module.training = False
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def map_tensors(function: Callable[[Tensor], Any], value: Any) -> Any:
    """Apply a function to each tensor of nested tuples and lists."""
    if isinstance(value, Tensor):
        return function(value)
    if type(value) in (tuple, list):
        return type(value)(map_tensors(function, item) for item in value)
    return value


def tensors(value: Any) -> List[Tensor]:
    """The tensors of nested tuples and lists."""
    found: List[Tensor] = []
    map_tensors(found.append, value)
    return found


def describe(value: Any) -> str:
    """Say of what type and shape an output is."""
    if isinstance(value, Tensor):
        return f'a tensor {tuple(value.shape)}'
    if isinstance(value, (tuple, list)):
        inner = ', '.join(map(describe, value))
        return f'a {type(value).__name__} of {inner or "nothing"}'
    return f'a {type(value).__name__}'


def not_called(name: str, network: str) -> str:
    """Say that a module is not called."""
    return (f'"{name}" of the {network} was not called: name a module that '
            'every forward calls.')


def misfit(grid: Tuple[int, int], size: Sequence[int], network: str) -> str:
    """Say that a feature map is smaller than the grid."""
    return (
        'A grid of {}x{} does not fit a feature map of {}x{} of the {}: '
        'choose a smaller grid, larger images or an earlier feature.').format(
            *grid, *size, network)


def no_map(name: str, network: str, output: Any) -> str:
    """Say that what a module outputs is no feature map."""
    return (f'"{name}" of the {network} outputs {describe(output)}; it '
            'should be a feature map (B, C, H, W), or end with one.')
