# Copyright (c) gld_mm authors. All rights reserved.
"""What keeps the equations exact: precision, rounding, pooling windows."""
from functools import wraps
from typing import Callable, List, Sequence, Tuple, Union

import torch
import torch.nn.functional as F
from mmengine.utils import to_2tuple
from torch import Tensor

from gld_mm.errors import UserError


def at_least_float32(logits: Tensor) -> Tensor:
    """Cast half precision to float32; leave float32 and float64."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def in_full_precision(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compute a loss of student and teacher outside autocast, in float32.

    The teacher's logits get no gradient.
    """

    @wraps(loss)
    def wrapper(student: Tensor, teacher: Tensor, *args, **kwargs) -> Tensor:
        with torch.autocast(student.device.type, enabled=False):
            return loss(
                at_least_float32(student), at_least_float32(teacher.detach()),
                *args, **kwargs)

    return wrapper


def shift_and_scale(logits: Tensor) -> Tensor:
    """Move the origin to the first row and scale the largest entry to 1.

    Normalised distances depend on neither. With a row as the origin, what
    ``|a|^2 + |b|^2 - 2ab`` loses to rounding is small against a distance of
    the same row of the matrix, equal rows are exactly zero, and no square
    overflows. Both are constants to the gradient.
    """
    shifted = logits - logits[:1].detach()
    scale = shifted.detach().abs().amax()
    return shifted / scale.masked_fill(scale == 0, 1)


def to_grid(grid: Union[int, Tuple[int, int]]) -> Tuple[int, int]:
    """Rows and columns of local logits, of which there is at least one.

    Raises:
        UserError: If there is none.
    """
    cells = to_2tuple(grid)
    if len(cells) != 2 or not all(isinstance(n, int) and n > 0 for n in cells):
        raise UserError(f'grid should be at least 1, got {grid}: give one '
                        'whole number, or two, rows and columns.')
    return cells


def fits(size: Sequence[int], grid: Tuple[int, int]) -> bool:
    """Whether a map of some height and width has a position for each cell."""
    return size[0] >= grid[0] and size[1] >= grid[1]


def pool_cells(feature: Tensor,
               grid: Tuple[int, int],
               fixed_kernel: bool = False) -> Tensor:
    """Average a feature map over each cell of a grid.

    Args:
        feature (Tensor): ``(B, C, H, W)``.
        grid (tuple[int, int]): Rows and columns of the grid; their product is
            ``L``.
        fixed_kernel (bool): Whether to pool with a kernel of
            H//rows x W//columns, which leaves out the remainder at the lower
            and right border. Defaults to False, adaptive pooling.

    Returns:
        Tensor: ``(B, L, C)``, the cells row by row.

    Raises:
        ValueError: If the feature is not a map, or the map has fewer rows or
            columns than the grid.
    """
    if feature.ndim != 4:
        raise ValueError('The feature map should be (B, C, H, W), got '
                         f'{tuple(feature.shape)}: take it before pooling.')
    (height, width), (rows, columns) = feature.shape[2:], grid
    if not fits((height, width), grid):
        raise ValueError(f'A grid of {rows}x{columns} does not fit a feature '
                         f'map of {height}x{width}: choose a smaller grid or '
                         'an earlier feature.')
    if fixed_kernel or not (height % rows or width % columns):
        cells = F.avg_pool2d(feature, (height // rows, width // columns))
        return cells[..., :rows, :columns].flatten(2).transpose(1, 2)
    # The gradient of PyTorch's adaptive pooling is not deterministic on a GPU.
    return torch.stack([x.mean((2, 3)) for x in crop_cells(feature, grid)], 1)


def crop_cells(feature: Tensor,
               grid: Tuple[int, int],
               fixed_kernel: bool = False) -> List[Tensor]:
    """Cut a feature map into the cells of a grid.

    Args:
        feature (Tensor): ``(B, C, H, W)``.
        grid (tuple[int, int]): Rows and columns of the grid.
        fixed_kernel (bool): See :func:`pool_cells`. Defaults to False, the
            windows of adaptive pooling, of which neighbours may overlap.

    Returns:
        list[Tensor]: The cells row by row.
    """
    vertical, horizontal = (_windows(size, cells, fixed_kernel)
                            for size, cells in zip(feature.shape[2:], grid))
    return [feature[..., v, h] for v in vertical for h in horizontal]


def _windows(size: int, cells: int, fixed_kernel: bool) -> List[slice]:
    """Positions of each cell along one axis of a feature map."""
    if fixed_kernel:
        kernel = size // cells
        return [slice(i * kernel, (i + 1) * kernel) for i in range(cells)]
    return [
        slice(i * size // cells, -(-(i + 1) * size // cells))
        for i in range(cells)
    ]
