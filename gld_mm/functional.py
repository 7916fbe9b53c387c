# Copyright (c) gld_mm authors. All rights reserved.
r"""The equations of GLD, as functions of tensors.

Kim et al., `Distilling Global and Local Logits with Densely Connected
Relations <https://openaccess.thecvf.com/content/ICCV2021/html/Kim_Distilling_Global_and_Local_Logits_With_Densely_Connected_Relations_ICCV_2021_paper.html>`_,
ICCV 2021. The objective puts them together:

.. math::
    L = (1 - \alpha) L_{task} + \alpha L_{ND}(Z^0)
        + \sum_{l=1}^{L} L_{ND}(Z^l) + \beta L_{relation}(Z)
"""  # noqa: E501
from typing import Callable, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def global_local_logits(feature: Tensor,
                        classifier: Callable[[Tensor], Tensor],
                        grid: Tuple[int, int],
                        fixed_kernel: bool = False) -> Tensor:
    r"""Logits of a whole feature map and of each cell of a grid over it.

    .. math::
        z^0 = C(GAP(f)), \quad z^l = C(avgpool(f_l)), \ l = 1..L

    Args:
        feature (Tensor): Feature map before global pooling, ``(B, C, H, W)``.
        classifier (Callable): The network's own classifier,
            ``(N, C) -> (N, K)``.
        grid (tuple[int, int]): Rows and columns of the grid, ``L`` their
            product.
        fixed_kernel (bool): Pool with a kernel of H//rows x W//columns, as the
            authors' CIFAR-100 code does. What does not divide is then left
            out at the lower and right border. Defaults to False, adaptive
            pooling.

    Returns:
        Tensor: ``(B, 1 + L, K)``, the global logit first, then the cells row
        by row.

    Raises:
        ValueError: If the feature is no map, or the map has fewer rows or
            columns than the grid.
    """
    if feature.ndim != 4:
        raise ValueError('The feature map should be (B, C, H, W), got '
                         f'{tuple(feature.shape)}: take it before pooling.')
    (height, width), (rows, columns) = feature.shape[2:], grid
    if rows > height or columns > width:
        raise ValueError(f'A grid of {rows}x{columns} does not fit a feature '
                         f'map of {height}x{width}: choose a smaller grid or '
                         'an earlier feature.')
    if fixed_kernel or not (height % rows or width % columns):
        cells = F.avg_pool2d(feature, (height // rows, width // columns))
        cells = cells[..., :rows, :columns].flatten(2).transpose(1, 2)
    else:
        # Adaptive pooling by hand: PyTorch's has no deterministic gradient on
        # a GPU.
        cells = torch.stack([
            feature[..., top:bottom, left:right].mean((2, 3))
            for top, bottom in _adaptive_windows(height, rows)
            for left, right in _adaptive_windows(width, columns)
        ], 1)
    pooled = torch.cat([feature.mean((2, 3))[:, None], cells], 1)
    # A classifier outside autocast takes no half precision.
    pooled = _at_least_float32(pooled)
    return classifier(pooled.flatten(0, 1)).unflatten(0, pooled.shape[:2])


def normalize_logits(logits: Tensor) -> Tensor:
    r"""Divide each row by its standard deviation over the classes.

    .. math::
        N(z) = z / \mathrm{std}_k(z), \quad \text{unbiased}

    The mean is subtracted too, which a softmax does not see and rounding does.
    A row whose spread is below its rounding error is constant: it becomes
    zero, the uniform distribution, and has no gradient.

    Args:
        logits (Tensor): ``(N, K)``.

    Returns:
        Tensor: ``(N, K)``.

    Raises:
        ValueError: If K is 1.
    """
    num_classes = logits.shape[-1]
    if num_classes < 2:
        raise ValueError('The standard deviation over the classes needs at '
                         f'least 2 classes, got logits {tuple(logits.shape)}.')
    centred = logits - logits.mean(-1, keepdim=True)
    variance = centred.square().sum(-1, keepdim=True) / (num_classes - 1)
    rounding = 8 * torch.finfo(logits.dtype).eps * logits.detach().abs().amax(
        -1, keepdim=True)
    constant = variance.detach() <= rounding.square()
    std = variance.masked_fill(constant, 1).sqrt()
    return centred.masked_fill(constant, 0) / std


def normalized_kl(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Normalised distillation loss, without a temperature.

    .. math::
        L_{ND} = \frac{1}{N} \sum_{n=1}^{N}
        KL(softmax\ N(z^T_n) \,\|\, softmax\ N(z^S_n))

    Args:
        student (Tensor): Logits ``(N, K)``.
        teacher (Tensor): Logits ``(N, K)``; they get no gradient.

    Returns:
        Tensor: Scalar, in float32 or the precision of the logits if higher;
        zero without rows.

    Raises:
        ValueError: If the shapes differ, or K is 1.
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f'The student\'s logits are {tuple(student.shape)} and '
            f'the teacher\'s {tuple(teacher.shape)}: both networks '
            'need the same classes and grid.')
    if not len(student):
        return _at_least_float32(student).sum()
    with torch.autocast(student.device.type, enabled=False):
        log_student = normalize_logits(
            _at_least_float32(student)).log_softmax(-1)
        log_teacher = normalize_logits(_at_least_float32(
            teacher.detach())).log_softmax(-1)
        return F.kl_div(
            log_student, log_teacher, reduction='batchmean', log_target=True)


def relation_matrix(rows: Tensor,
                    logits: Tensor,
                    out: Optional[Tensor] = None) -> Tuple[Tensor, Tensor]:
    """Squared L2 distances from some rows to all, each row of unit L2 norm.

    Args:
        rows (Tensor): The rows of the matrix to compute, ``(R, K)``.
        logits (Tensor): All logits, ``(M, K)``.
        out (Tensor, optional): Memory of the matrix. Defaults to None.

    Returns:
        tuple[Tensor, Tensor]: ``(R, M)``, where a row of zeros stays zero, and
        the norms that it was divided by, ``(R, 1)``.
    """
    distances = torch.mm(rows, logits.t(), out=out).mul_(-2)
    distances += rows.square().sum(-1, keepdim=True)
    distances += logits.square().sum(-1)
    distances.clamp_(min=0)
    norms = distances.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return distances.div_(norms), norms


def relation(student: Tensor,
             teacher: Tensor,
             block_size: int = 2**22) -> Tensor:
    r"""Densely connected relation loss.

    .. math::
        L_{relation} = \frac{1}{m^2} \sum_{i,j} \left(
        \frac{D^T_{ij}}{\|D^T_i\|_2} - \frac{D^S_{ij}}{\|D^S_i\|_2} \right)^2,
        \quad D_{ij} = \|z_i - z_j\|_2^2

    Args:
        student (Tensor): All global and local logits of a batch, ``(M, K)``.
        teacher (Tensor): The same of the teacher, ``(M, K)``, its K may
            differ; they get no gradient.
        block_size (int): Entries of the M x M matrix to hold at a time; a
            larger matrix is computed in blocks of rows. Defaults to 2**22,
            16 MiB in float32.

    Returns:
        Tensor: Scalar, in float32 or the precision of the logits if higher;
        zero without rows. It can be differentiated once.

    Raises:
        ValueError: If the numbers of logits differ.
    """
    with torch.autocast(student.device.type, enabled=False):
        if len(student) != len(teacher):
            raise ValueError(f'{len(student)} logits of the student cannot be '
                             f'related to {len(teacher)} of the teacher.')
        if not len(student):
            return _at_least_float32(student).sum()
        return _Relation.apply(
            _shift_and_scale(_at_least_float32(student)),
            _shift_and_scale(_at_least_float32(teacher.detach())), block_size)


class _Relation(torch.autograd.Function):
    """Loss and gradient in one pass over blocks of rows.

    Autograd would keep or compute again several M x M matrices. By hand, each
    block of rows adds its part to the gradient and is forgotten: two blocks
    are all that is held.
    """

    @staticmethod
    def forward(ctx, student: Tensor, teacher: Tensor,
                block_size: int) -> Tensor:
        size = len(student)
        block = min(size, max(1, block_size // size))
        memory = student.new_empty(2, block, size)
        total = student.new_zeros(())
        gradient = torch.zeros_like(student)
        for start in range(0, size, block):
            rows = student[start:start + block]
            ours, norms = relation_matrix(
                rows, student, out=memory[0, :len(rows)])
            theirs, _ = relation_matrix(
                teacher[start:start + block],
                teacher,
                out=memory[1, :len(rows)])
            error = theirs.sub_(ours)  # the residual times -1
            total += error.flatten().dot(error.flatten())
            if ctx.needs_input_grad[0]:
                # Through the norm: what is along the row has no effect. The
                # division gives the residual its sign.
                along = (error[:, None] @ ours[:, :, None])[:, 0]
                change = error.sub_(ours.mul_(along)).div_(-norms)
                # Through D_ij, whose gradient is 2 (z_i - z_j) and its
                # opposite.
                gradient[start:start + block] += (
                    change.sum(1, keepdim=True) * rows - change @ student)
                gradient += (
                    change.sum(0)[:, None] * student - change.t() @ rows)
        # 2 of the square of the error, 2 of that of the distance
        ctx.save_for_backward(gradient.mul_(4 / size**2))
        return total / size**2

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output: Tensor) -> Tuple[Tensor, None, None]:
        gradient, = ctx.saved_tensors
        return grad_output * gradient, None, None


def _shift_and_scale(logits: Tensor) -> Tensor:
    """Move the origin to a row and scale the largest entry to 1.

    Normalised relations depend on neither. With a row as the origin, what
    ``|a|^2 + |b|^2 - 2ab`` loses to rounding is small against a distance of
    the same row of the matrix, equal rows are exactly zero, and no square
    overflows. Both are constants to the gradient.
    """
    shifted = logits - logits[:1].detach()
    scale = shifted.detach().abs().amax()
    return shifted / scale.masked_fill(scale == 0, 1)


def _adaptive_windows(size: int, cells: int) -> List[Tuple[int, int]]:
    """Where the windows of adaptive pooling begin and end; they overlap."""
    return [(i * size // cells, -(-(i + 1) * size // cells))
            for i in range(cells)]


def _at_least_float32(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
