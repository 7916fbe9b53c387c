# Copyright (c) gld_mm authors. All rights reserved.
r"""The equations of GLD, as functions of tensors.

Kim et al., `Distilling Global and Local Logits with Densely Connected
Relations <https://openaccess.thecvf.com/content/ICCV2021/html/Kim_Distilling_Global_and_Local_Logits_With_Densely_Connected_Relations_ICCV_2021_paper.html>`_,
ICCV 2021. The objective puts them together:

.. math::
    L = (1 - \alpha) L_{task} + \alpha L_{ND}(Z^0)
        + \sum_{l=1}^{L} L_{ND}(Z^l) + \beta L_{relation}(Z)
"""  # noqa: E501
from typing import Callable, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from .numerics import (at_least_float32, in_full_precision, pool_cells,
                       shift_and_scale)


def global_local_logits(feature: Tensor,
                        classifier: Callable[[Tensor], Tensor],
                        grid: Tuple[int, int],
                        fixed_kernel: bool = False) -> Tensor:
    r"""Classify the mean of a feature map and of each cell of a grid on it.

    .. math::
        z^0 = C(GAP(f)), \quad z^l = C(avgpool(f_l)), \ l = 1..L

    Args:
        feature (Tensor): Feature map before global pooling, ``(B, C, H, W)``.
        classifier (Callable): The network's own classifier,
            ``(N, C) -> (N, K)``.
        grid (tuple[int, int]): Rows and columns of the grid; their product is
            ``L``.
        fixed_kernel (bool): Whether to pool as the authors' CIFAR-100 code
            does, see :func:`gld_mm.numerics.pool_cells`. Defaults to False.

    Returns:
        Tensor: ``(B, 1 + L, K)``, the global logit first, then the cells row
        by row.
    """
    cells = pool_cells(feature, grid, fixed_kernel)
    pooled = torch.cat([feature.mean((2, 3))[:, None], cells], 1)
    # Outside autocast, a float32 classifier rejects half precision.
    pooled = at_least_float32(pooled)
    return classifier(pooled.flatten(0, 1)).unflatten(0, pooled.shape[:2])


def normalize_logits(logits: Tensor) -> Tensor:
    r"""Divide each row by its standard deviation over the classes.

    .. math::
        N(z) = z / \mathrm{std}_k(z), \quad \text{unbiased}

    The mean is subtracted as well: softmax ignores it, but rounding does not.
    A row that is constant up to rounding becomes zero, the uniform
    distribution, and gets no gradient.

    Args:
        logits (Tensor): ``(N, K)``, K at least 2.

    Returns:
        Tensor: ``(N, K)``.
    """
    num_classes = logits.shape[-1]
    if num_classes < 2:
        raise ValueError('The standard deviation over the classes needs at '
                         f'least 2 classes, got logits {tuple(logits.shape)}.')
    centred = logits - logits.mean(-1, keepdim=True)
    variance = centred.square().sum(-1, keepdim=True) / (num_classes - 1)
    largest = logits.detach().abs().amax(-1, keepdim=True)
    rounding_error = 8 * torch.finfo(logits.dtype).eps * largest
    constant = variance.detach() <= rounding_error.square()
    std = variance.masked_fill(constant, 1).sqrt()
    return centred.masked_fill(constant, 0) / std


@in_full_precision
def normalized_kl(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the normalised distillation loss, which has no temperature.

    .. math::
        L_{ND} = \frac{1}{N} \sum_{n=1}^{N}
        KL(softmax\ N(z^T_n) \,\|\, softmax\ N(z^S_n))

    Args:
        student (Tensor): Logits ``(N, K)``.
        teacher (Tensor): Logits ``(N, K)``; they get no gradient.

    Returns:
        Tensor: Scalar, at least float32; zero if N is 0.
    """
    _check_shapes(student, teacher)
    total = F.kl_div(
        normalize_logits(student).log_softmax(-1),
        normalize_logits(teacher).log_softmax(-1),
        reduction='sum',
        log_target=True)
    return total / max(len(student), 1)


@in_full_precision
def binary_kl(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compare the yes-or-no answers of a head with sigmoids.

    .. math::
        L_B = \frac{1}{N} \sum_{n=1}^{N} \sum_{k=1}^{K}
        KL(Ber(\sigma(z^T_{nk})) \,\|\, Ber(\sigma(z^S_{nk})))

    The paper has no heads with sigmoids. Their scores are not normalised: a
    row says not only which class is likely, but also whether there is any.

    Args:
        student (Tensor): Logits ``(N, K)``.
        teacher (Tensor): Logits ``(N, K)``; they get no gradient.

    Returns:
        Tensor: Scalar, at least float32; zero if N is 0.
    """
    _check_shapes(student, teacher)
    target = teacher.sigmoid()
    cross_entropy, entropy = (
        F.binary_cross_entropy_with_logits(logits, target, reduction='none')
        for logits in (student, teacher))
    return (cross_entropy - entropy).sum() / max(len(student), 1)


def _check_shapes(student: Tensor, teacher: Tensor) -> None:
    if student.shape != teacher.shape:
        raise ValueError(
            f'The student\'s logits are {tuple(student.shape)} and '
            f'the teacher\'s {tuple(teacher.shape)}: both networks '
            'need the same classes and grid.')


def relation_matrix(rows: Tensor,
                    logits: Tensor,
                    out: Optional[Tensor] = None) -> Tuple[Tensor, Tensor]:
    r"""Compute the normalised distances from some logits to all logits.

    .. math::
        R_{ij} = \frac{D_{ij}}{\|D_i\|_2}, \quad D_{ij} = \|z_i - z_j\|_2^2

    Args:
        rows (Tensor): The logits :math:`z_i`, ``(R, K)``.
        logits (Tensor): All logits :math:`z_j`, ``(M, K)``.
        out (Tensor, optional): Memory for the result. Defaults to None.

    Returns:
        tuple[Tensor, Tensor]: :math:`R` ``(R, M)``, in which a row of zeros
        stays zero, and the norms :math:`\|D_i\|_2` ``(R, 1)``.
    """
    # |a|^2 + |b|^2 - 2ab takes one matrix product.
    distances = torch.mm(rows, logits.t(), out=out).mul_(-2)
    distances += rows.square().sum(-1, keepdim=True)
    distances += logits.square().sum(-1)
    distances.clamp_(min=0)
    norms = distances.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return distances.div_(norms), norms


@in_full_precision
def relation(student: Tensor,
             teacher: Tensor,
             block_size: int = 2**22) -> Tensor:
    r"""Compute the densely connected relation loss.

    .. math::
        L_{relation} = \frac{1}{m^2} \sum_{i,j} (R^S_{ij} - R^T_{ij})^2

    with :math:`R` of :func:`relation_matrix`.

    Args:
        student (Tensor): All global and local logits of a batch, ``(M, K)``.
        teacher (Tensor): The same of the teacher, ``(M, K')``; they get no
            gradient.
        block_size (int): Entries of the M x M matrix to hold at a time; a
            larger matrix is computed in blocks of rows. Defaults to 2**22,
            16 MiB in float32.

    Returns:
        Tensor: Scalar, at least float32; zero if M is 0. It can be
        differentiated once.
    """
    if len(student) != len(teacher):
        raise ValueError(f'{len(student)} logits of the student cannot be '
                         f'related to {len(teacher)} of the teacher.')
    if not len(student):
        return student.sum()
    return _BlockwiseRelation.apply(
        shift_and_scale(student), shift_and_scale(teacher), block_size)


class _BlockwiseRelation(torch.autograd.Function):
    r"""The relation loss and its gradient, in one pass over blocks of rows.

    Autograd would keep several M x M matrices. Here each block of rows adds
    its part to the loss and to the gradient, and its memory is used again:

    .. math::
        \frac{\partial L}{\partial D_i} &= \frac{2}{m^2} W_i, \quad
        W_i = \frac{E_i - (E_i \cdot R^S_i) R^S_i}{\|D_i\|_2}, \quad
        E = R^S - R^T \\
        \frac{\partial L}{\partial z_i} &= \frac{4}{m^2}
        \sum_j (W_{ij} + W_{ji}) (z_i - z_j)
    """

    @staticmethod
    def forward(ctx, student: Tensor, teacher: Tensor,
                block_size: int) -> Tensor:
        m = len(student)
        block = min(m, max(1, block_size // m))
        student_block, teacher_block = student.new_empty(2, block, m)
        loss = student.new_zeros(())
        gradient = torch.zeros_like(student)
        for start in range(0, m, block):
            rows = slice(start, min(start + block, m))
            z = student[rows]
            relations, norms = relation_matrix(
                z, student, out=student_block[:len(z)])
            targets, _ = relation_matrix(
                teacher[rows], teacher, out=teacher_block[:len(z)])
            error = torch.sub(relations, targets, out=targets)
            loss += error.flatten().dot(error.flatten())
            if ctx.needs_input_grad[0]:
                along = torch.einsum('ij,ij->i', error, relations)[:, None]
                weights = error.addcmul_(
                    relations, along, value=-1).div_(norms)
                # W_ij (z_i - z_j) is added to z_i and taken from z_j.
                gradient[rows] += (
                    weights.sum(1, keepdim=True) * z - weights @ student)
                gradient += (
                    weights.sum(0)[:, None] * student - weights.t() @ z)
        ctx.save_for_backward(gradient.mul_(4 / m**2))
        return loss / m**2

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output: Tensor) -> Tuple[Tensor, None, None]:
        gradient, = ctx.saved_tensors
        return grad_output * gradient, None, None
