# Copyright (c) gld_mm authors. All rights reserved.
from math import isqrt
from typing import Any, Dict, Iterator, List, Optional, Tuple

import torch
from mmengine.dist import all_reduce
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from gld_mm.errors import UserError
from gld_mm.numerics import crop_cells, fits, pool_cells

from .trace import (Call, as_in_testing, map_tensors, misfit, no_map,
                    not_called, tensors, trace)

# Layers with weights that a classifier has at most; more are a stage.
MOST_LAYERS = 8


class CellsInBatch:
    """Let a network classify the cells of its feature map with its own code.

    Where the network outputs its feature map, the mean map of each cell is
    appended to the batch. Everything behind the map (pooling, norms, tokens,
    hidden layers) then treats a cell as one more image. At the network's
    output the cells are cut off again, so that the loss sees only the images.

    Where a module pools the map, it pools each cell. Where other code does, or
    where a token is read out, each position and token of the map that is
    appended is the mean of the cell. Batch norm takes its statistics from the
    images alone.

    The map and the output are found by trial: the map is the output of the
    last module from which on the network answers for every cell, and answers
    for the images as it does without cells.

    Args:
        network (BaseModel): The network.
        grid (tuple[int, int], optional): Rows and columns of cells; None has
            no cells.
        fixed_kernel (bool): See
            :func:`gld_mm.functional.global_local_logits`. Defaults to False.
        name (str): What errors call the network. Defaults to 'network'.
    """

    def __init__(self,
                 network: BaseModel,
                 grid: Optional[Tuple[int, int]],
                 fixed_kernel: bool = False,
                 name: str = 'network') -> None:
        self.network = network
        self.name = name
        self.grid = grid or (1, 1)
        self.fixed_kernel = fixed_kernel
        self.copies = 1 if grid is None else 1 + grid[0] * grid[1]
        self.active = self.extended = False
        self.map_name: Optional[str] = None
        self.axes: Dict[int, int] = {}
        self.logits: Optional[Tensor] = None
        self.cells: Optional[Tensor] = None

    def __getstate__(self) -> dict:
        """What is copied: not the last forward, which has gradients."""
        return {**self.__dict__, 'logits': None, 'cells': None}

    def begin(self, images: Tensor) -> None:
        """Start with the images of a forward.

        Args:
            images (Tensor): ``(B, 3, H, W)``.
        """
        self.size, self.image_size = len(images), images.shape[-2:]
        self.logits = None
        self.active, self.extended = True, False

    def end(self) -> None:
        """Leave forwards as they are."""
        self.active = self.extended = False

    def find(self, images: Tensor, feature: Optional[str] = None) -> None:
        """Find where the map is and where the network ends.

        Args:
            images (Tensor): Some, as in training.
            feature (str, optional): Module that outputs the map. Defaults to
                None, it is found.

        Raises:
            UserError: If there is no map that the grid fits.
        """
        with as_in_testing(self.network):
            self.end()
            self.size, self.image_size = len(images), images.shape[-2:]
            calls, expected = trace(self.network, images)
            if not all(x.isfinite().all() for x in tensors(expected)):
                raise UserError(f'The {self.name} gives logits that are not '
                                'finite for the first images.')
            if feature is not None:
                self._check_name(feature, calls)
            self._find_end(calls, tensors(expected))
            if self.copies == 1:
                return
            for call, later in self._maps(calls, feature):
                if self._try(call, later, images, expected):
                    self.map_name = call.name
                    self._check_computed_once(call, later)
                    break

    def _check_name(self, feature: str, calls: List[Call]) -> None:
        outputs = [call.output for call in calls if call.name == feature]
        if not outputs:
            raise UserError(not_called(feature, self.name))
        if not any(x.ndim in (3, 4) for x in tensors(outputs)):
            raise UserError(no_map(feature, self.name, outputs[-1]))

    def _check_computed_once(self, fmap: Call, later: List[Call]) -> None:
        # What contains the map ends after it, but is not behind it.
        if any(
                getattr(call.module, 'with_cp', False) for call in later
                if not fmap.name.startswith(f'{call.name}.')):
            raise UserError(
                f'Layers of the {self.name} behind "{fmap.name}" have '
                'with_cp=True: what they compute again would miss the cells. '
                'Set with_cp=False or take a later feature.')

    def _find_end(self, calls: List[Call], scores: List[Tensor]) -> None:
        """The first module whose output is the network's."""
        for call in calls:
            if scores and len(call.outputs) == len(scores) and all(
                    a is b for a, b in zip(call.outputs, scores)):
                call.module.register_forward_hook(self._leave)
                return
        raise UserError(
            f'The {self.name}, a {type(self.network).__name__}, has no module '
            'whose output is that of the network: name the feature and the '
            'classifier.')

    def _maps(self, calls: List[Call],
              feature: Optional[str]) -> Iterator[Tuple[Call, List[Call]]]:
        """What may be the map, the last first, and the calls after it."""
        largest, fit, layers = (1, 1), False, set()
        for i in reversed(range(len(calls))):
            call, later = calls[i], calls[i + 1:]
            if feature in (None, call.name):
                self.axes = self._axes_of(call, later)
                sizes = [self._map_size(x) for x in call.outputs]
                if any(map(self._fits, sizes)):
                    fit = True
                    yield call, later
                largest = max([largest, *(x for x in sizes if x)])
            if any(w is not None and w.ndim > 1
                   for w in call.module._parameters.values()):
                layers.add(call.module)
            if feature is None and (len(layers) > MOST_LAYERS
                                    or _looks_around(call)):
                break
        if not fit:
            raise UserError(misfit(self.grid, largest, self.name))

    def _axes_of(self, call: Call, later: List[Call]) -> Dict[int, int]:
        """Where maps and tokens have their channels: as many as are pooled.

        Where nothing tells, they are ``(B, C, H, W)`` and ``(B, N, C)``.
        """
        pooled = next((x.shape[1] for c in later
                       for x in (*c.inputs, *c.outputs)
                       if _is_vector(x) and len(x) == self.size), None)
        axes = {4: (1, 3), 3: (2, 1)}
        for x in call.outputs:
            if x.ndim in axes:
                usual, other = axes[x.ndim]
                if x.shape[other] == pooled != x.shape[usual]:
                    axes[x.ndim] = (other, usual)
        return {ndim: axis for ndim, (axis, _) in axes.items()}

    def _try(self, call: Call, later: List[Call], images: Tensor,
             expected: Any) -> bool:
        """Extend the batch at a map and see what the network outputs."""
        pools = [
            c.module for c in later
            if _is_pooling(c) and any(x is y for x in c.inputs
                                      for y in call.outputs)
        ]
        norms = {c.module for c in later if isinstance(c.module, _BatchNorm)}
        entries = [(module, self._enter_by_pooling) for module in pools[:1]]
        for module, hook in [*entries, (call.module, self._enter_by_map)]:
            handles = [module.register_forward_hook(hook)]
            for norm in norms:
                handles += [
                    norm.register_forward_pre_hook(self._images_only),
                    norm.register_forward_hook(self._cells_too)
                ]
            if self._answers_for_cells(images, expected):
                return True
            for handle in handles:
                handle.remove()
        return False

    def _answers_for_cells(self, images: Tensor, expected: Any) -> bool:
        """Whether the network does, and for images as without cells."""
        self.begin(images)
        try:
            output = self.network(images, mode='tensor')
        except torch.cuda.OutOfMemoryError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError,
                AssertionError):
            return False
        return (self.logits is not None and self.logits.shape[1] == self.copies
                and all(map(is_close, tensors(output), tensors(expected))))

    # What the hooks do

    @torch.compiler.disable
    def _enter_by_map(self, module: nn.Module, args: tuple, out: Any) -> Any:
        if not self.active:
            return None
        self.extended = True
        self._check_size(out)
        return map_tensors(self._spread, out)

    @torch.compiler.disable
    def _enter_by_pooling(self, module: nn.Module, args: tuple,
                          out: Any) -> Any:
        if not self.active:
            return None
        self.extended = True
        self._check_size(args)
        crops = [
            map_tensors(
                lambda x: crop_cells(x, self.grid, self.fixed_kernel)[cell],
                args) for cell in range(self.copies - 1)
        ]
        cells = zip(*(tensors(module.forward(*crop)) for crop in crops))
        return map_tensors(lambda x: torch.cat([x, *next(cells)]), out)

    def _check_size(self, maps: Any) -> None:
        sizes = [size for size in map(self._map_size, tensors(maps)) if size]
        if any(map(self._fits, sizes)):
            return
        if self.map_name is None:  # on trial
            raise ValueError('No map fits the grid.')
        raise UserError(misfit(self.grid, max(sizes), self.name))

    @torch.compiler.disable
    def _leave(self, module: nn.Module, args: tuple, out: Any) -> Any:
        if not self.active:
            return None
        copies = self.copies if self.extended else 1
        if any(len(x) != copies * self.size for x in tensors(out)):
            if self.map_name is None:  # on trial
                raise ValueError('An output lacks cells.')
            raise UserError(
                f'The {self.name} outputs {len(tensors(out)[0])} rows for '
                f'{self.size} images in training, {copies * self.size} were '
                'expected: name the feature and the classifier.')
        self.extended = False
        # A network with two classifiers predicts by their sum.
        logits: Any = sum(tensors(out))
        self.logits = logits.unflatten(0, (copies, -1)).transpose(0, 1)
        return map_tensors(lambda x: x[:self.size], out)

    @torch.compiler.disable
    def _images_only(self, module: nn.Module, args: tuple) -> Any:
        if self.extended and len(
                args[0]) > self.size and (module.training
                                          or module.running_mean is None):
            self.cells = args[0][self.size:]
            return args[0][:self.size]
        self.cells = None
        return None

    @torch.compiler.disable
    def _cells_too(self, module: Any, args: tuple, out: Tensor) -> Any:
        if self.cells is not None:
            images = args[0].detach().float()
            axes = [i for i in range(images.ndim) if i != 1]
            var, mean = torch.var_mean(images, axes, correction=0)
            if isinstance(module, nn.SyncBatchNorm):
                moments = torch.stack([mean, var + mean.square()])
                all_reduce(moments, 'mean', module.process_group)
                mean, var = moments[0], moments[1] - moments[0].square()
            own = (module.running_mean, module.running_var, module.training)
            try:
                module.running_mean, module.running_var = mean, var
                module.training = False
                cells = module.forward(self.cells)
            finally:
                (module.running_mean, module.running_var,
                 module.training) = own
            return torch.cat([out, cells.to(out.dtype)])
        return None

    def _spread(self, x: Tensor) -> Tensor:
        """Append, for each cell, a map that is its mean everywhere."""
        size = self._map_size(x)
        if size is None or not self._fits(size):
            return x.repeat(self.copies, *[1] * (x.ndim - 1))
        axis, (height, width) = self.axes[x.ndim], size
        fmap = x.movedim(axis, 1).flatten(2)
        fmap = fmap[..., fmap.shape[2] - height * width:]
        means = pool_cells(
            fmap.unflatten(2, (height, width)), self.grid, self.fixed_kernel)
        means = means.transpose(0, 1).flatten(0, 1)
        shape = [len(means)] + [1] * (x.ndim - 1)
        shape[axis] = -1
        return torch.cat([x, means.view(shape).expand(-1, *x.shape[1:])])

    def _map_size(self, x: Tensor) -> Optional[Tuple[int, int]]:
        """Height and width, None of what is no map; (1, 1) is one."""
        if x.ndim not in self.axes or len(x) != self.size:
            return None
        sizes = list(x.shape[1:])
        del sizes[self.axes[x.ndim] - 1]
        if x.ndim == 3:
            return _token_grid(sizes[0], *self.image_size)
        return sizes[0], sizes[1]

    def _fits(self, size: Optional[Tuple[int, int]]) -> bool:
        return size is not None and fits(size, self.grid)


def is_close(a: Tensor, b: Tensor) -> bool:
    """Whether logits differ by rounding only."""
    half = torch.finfo(a.dtype).bits < 32 or torch.is_autocast_enabled()
    bound = (0.05 if half else 1e-3) * b.abs().amax()
    return a.shape == b.shape and bool((a - b).abs().amax() <= bound)


def _is_pooling(call: Call) -> bool:
    module = call.module
    return (bool(call.outputs) and not any(True for _ in module.buffers())
            and all(p.ndim < 2 for p in module.parameters())
            and all(x.ndim == 4 for x in call.inputs)
            and all(map(_is_vector, call.outputs)))


def _is_vector(x: Tensor) -> bool:
    return x.ndim > 1 and x.shape[1] == x[0].numel()


def _looks_around(call: Call) -> bool:
    """A convolution that looks at neighbours, which no classifier does."""
    conv = call.module
    return (isinstance(conv, _ConvNd) and max(conv.kernel_size) > 1
            and conv.kernel_size != call.inputs[0].shape[2:])


def _token_grid(tokens: int, height: int, width: int) -> Tuple[int, int]:
    """The grid of patches; tokens before it are of class or the like."""
    rows = isqrt(tokens * height // width) + 1
    while rows * max(1, round(rows * width / height)) > tokens:
        rows -= 1
    return rows, max(1, round(rows * width / height))
