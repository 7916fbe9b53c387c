# Copyright (c) gld_mm authors. All rights reserved.
import warnings
from functools import partial
from typing import Callable, Dict, List, Optional, Tuple

import torch
from mmrazor.models.distillers import ConfigurableDistiller
from torch import Tensor, nn

from gld_mm.errors import UserError

# Sets of logits (B, 1 + L, K), and which logits are compared, bool (B, 1 + L);
# None means all.
LogitSets = Tuple[List[Tensor], Optional[List[Tensor]]]

_ALL = slice(None)


class BaseGLDDistiller(ConfigurableDistiller):
    r"""The objective of GLD, whatever the logits are made of.

    .. math::
        L = (1 - \alpha) L_{task} + \alpha L_{ND}(Z^0)
            + \gamma \sum_{l=1}^{L} L_{ND}(Z^l) + \beta L_{relation}(Z)

    The equations are in :mod:`gld_mm.functional`. A term with weight zero is
    not computed; the paper's ablation turns terms off this way. A network with
    several classifiers, such as an SSD head with one per level and anchor, has
    several sets of logits. Each term is the mean over the sets, so that its
    weight relative to the task loss is that of a classification network.

    Args:
        student_recorders (dict[str, dict]): ``logits`` records what the
            connector turns into the student's logits.
        teacher_recorders (dict[str, dict]): The same of the teacher.
        connector (dict, optional): Turns a record into logits
            ``(B, 1 + L, K)``, global first, or a list of such sets. None if a
            record is that. Defaults to None.
        alpha (float): Weight of the global term. Defaults to 0.7.
        beta (float): Weight of the relation term. Defaults to 500.
        gamma (float): Weight of the local term, 1 in the paper.
            Defaults to 1.
        task_loss_weight (float, optional): Weight of the student's own
            losses, which :class:`FrozenTeacherDistill` applies. Defaults to
            None, ``1 - alpha``.
        sigmoid (bool): Whether the classifiers end with sigmoids. Then the
            global and local terms are :func:`gld_mm.functional.binary_kl`.
            Defaults to False.
        gather (bool): Under data parallelism, whether to relate the logits of
            all processes, see :class:`RelationLoss`. Defaults to True.
    """

    def __init__(self,
                 student_recorders: Dict[str, dict],
                 teacher_recorders: Dict[str, dict],
                 connector: Optional[dict] = None,
                 alpha: float = 0.7,
                 beta: float = 500.,
                 gamma: float = 1.,
                 task_loss_weight: Optional[float] = None,
                 sigmoid: bool = False,
                 gather: bool = True) -> None:
        if not 0 <= alpha <= 1 or beta < 0 or gamma < 0:
            raise UserError('alpha should be in [0, 1], beta and gamma should '
                            f'not be negative, got {alpha}, {beta}, {gamma}.')
        divergence = f'mmrazor.{"Binary" if sigmoid else "Normalized"}KLLoss'
        terms = dict(
            loss_global=dict(type=divergence, loss_weight=alpha),
            loss_local=dict(type=divergence, loss_weight=gamma),
            loss_relation=dict(
                type='mmrazor.RelationLoss', loss_weight=beta, gather=gather))
        super().__init__(
            student_recorders=student_recorders,
            teacher_recorders=teacher_recorders,
            connectors=connector and dict(logits=connector),
            distill_losses={
                name: loss
                for name, loss in terms.items() if loss['loss_weight']
            })
        self.sigmoid = sigmoid
        self.gather = gather
        self.task_loss_weight = (1 - alpha if task_loss_weight is None else
                                 task_loss_weight)
        self.compared: Dict[str, List[Tensor]] = {}

    # The relation writes its gradient in place, which torch.compile cannot
    # trace; the losses are a few calls on small tensors.
    @torch.compiler.disable
    def compute_distill_losses(self) -> Dict[str, Tensor]:
        """Compute the terms that are on from what was recorded.

        Returns:
            dict[str, Tensor]: Weighted scalars ``loss_global``,
            ``loss_local`` and ``loss_relation``.

        Raises:
            UserError: If the networks have different numbers of sets, or of
                classes.
        """
        if not self.distill_losses:
            return dict()
        student, student_labelled = self._logits(from_student=True)
        with torch.no_grad():
            teacher, teacher_labelled = self._logits(from_student=False)
        if len(student) != len(teacher):
            raise UserError(f'The student has {len(student)} sets of logits, '
                            f'the teacher {len(teacher)}: both need the same '
                            'levels and anchors.')
        # A map smaller than the grid has its global logit only.
        sizes = [min(s.shape[1], t.shape[1]) for s, t in zip(student, teacher)]
        student = [x[:, :n] for x, n in zip(student, sizes)]
        teacher = [x[:, :n] for x, n in zip(teacher, sizes)]
        labelled = [
            s[:, :n] & t[:, :n]
            for s, t, n in zip(student_labelled, teacher_labelled, sizes)
        ] if student_labelled and teacher_labelled else None
        # The next step may make the weights, and so the logits, not finite.
        self.compared = dict(
            student=[x.detach() for x in student], teacher=teacher)
        terms: Dict[str, Callable[..., Tensor]] = dict(
            loss_global=partial(self._kl_term, cells=slice(1)),
            loss_local=partial(self._kl_term, cells=slice(1, None)),
            loss_relation=self._relation_term)
        return {
            name: terms[name](loss, student, teacher, labelled)
            for name, loss in self.distill_losses.items()
        }

    def _kl_term(self, loss: nn.Module, student: List[Tensor],
                 teacher: List[Tensor], labelled: Optional[List[Tensor]],
                 cells: slice) -> Tensor:
        """The sum over the cells, the mean over images and sets.

        The sum is the mean over labelled cells times the number of all cells.
        """
        classes = [rows[0].shape[-1] for rows in (student, teacher)]
        if classes[0] != classes[1]:
            raise UserError('The student has {} classes, the teacher {}: name '
                            'those of the teacher that the student has by '
                            'teacher_classes.'.format(*classes))
        if classes[0] == 2 and not self.sigmoid:
            warnings.warn('With two classes normalised logits have no more '
                          'than a sign, so the global and the local term have '
                          'no gradient: take KD, or a head of one output and '
                          'sigmoid=True.')
        cells_per_image = sum(x[:, cells].shape[1]
                              for x in student) / len(student)
        return cells_per_image * loss(
            torch.cat(flatten(student, labelled, cells)),
            torch.cat(flatten(teacher, labelled, cells)))

    def _relation_term(self, loss: nn.Module, student: List[Tensor],
                       teacher: List[Tensor],
                       labelled: Optional[List[Tensor]]) -> Tensor:
        """The mean over the sets."""
        return loss(flatten(student, labelled), flatten(teacher, labelled))

    def describe_logits(self) -> str:
        """Describe the range of the logits that were last compared.

        Returns:
            str: One line with the number of logits that are not finite, and
            the least and largest of the others; empty if none were compared.
        """
        described = []
        for name, sets in self.compared.items():
            logits = torch.cat([x.flatten() for x in sets])
            finite = logits[logits.isfinite()]
            within = (f'in [{finite.min():.4g}, {finite.max():.4g}]'
                      if len(finite) else 'none finite')
            described.append(f'{len(logits) - len(finite)} of {len(logits)} '
                             f'logits of the {name} are not finite, the '
                             f'others {within}')
        return '; '.join(described)

    def _logits(self, from_student: bool) -> LogitSets:
        """Get the logits that were recorded."""
        connector = 'logits' if 'logits' in self.connectors else None
        logits = self.get_record('logits', from_student, connector=connector)
        return logits if isinstance(logits, list) else [logits], None


def flatten(sets: List[Tensor],
            labelled: Optional[List[Tensor]],
            cells: slice = _ALL) -> List[Tensor]:
    """Find the logits to compare.

    Args:
        sets (list[Tensor]): ``(B, 1 + L, K)`` each.
        labelled (list[Tensor], optional): Which of them are compared, bool
            ``(B, 1 + L)`` each. None means all.
        cells (slice): Which of the 1 + L. Defaults to all.

    Returns:
        list[Tensor]: Rows ``(N, K)`` of each set.
    """
    rows = [x[:, cells].flatten(0, 1) for x in sets]
    if labelled is None:
        return rows
    return [x[m[:, cells].flatten()] for x, m in zip(rows, labelled)]
