# Copyright (c) gld_mm authors. All rights reserved.
from functools import partial
from typing import Callable, Dict, List, Optional, Tuple

import torch
from mmrazor.models.distillers import ConfigurableDistiller
from torch import Tensor, nn


class BaseGLDDistiller(ConfigurableDistiller):
    r"""The objective of GLD, whatever the logits are made of.

    .. math::
        L = (1 - \alpha) L_{task} + \alpha L_{ND}(Z^0)
            + \gamma \sum_{l=1}^{L} L_{ND}(Z^l) + \beta L_{relation}(Z)

    The equations are in :mod:`gld_mm.functional`. A term whose weight is zero
    is not computed, which is how the ablation of the paper turns it off. A
    network with several classifiers, as an SSD head is with one for each level
    and anchor, has several sets of logits: each term is their mean, so that it
    weighs next to the task loss what it weighs in a classification network.

    Args:
        student_recorders (dict[str, dict]): ``logits`` records what the
            student's logits are made of.
        teacher_recorders (dict[str, dict]): The same of the teacher.
        connector (dict): Makes them into logits ``(B, 1 + L, K)``, global
            first, or a list of such sets.
        alpha (float): Weight of the global term; the task loss gets
            ``1 - alpha``.
        beta (float): Weight of the relation term.
        gamma (float): Weight of the local term, 1 in the paper.
        gather (bool): See :class:`RelationLoss`. Defaults to True.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self,
                 student_recorders: Dict[str, dict],
                 teacher_recorders: Dict[str, dict],
                 connector: dict,
                 alpha: float,
                 beta: float,
                 gamma: float,
                 gather: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        if not 0 <= alpha <= 1 or beta < 0 or gamma < 0:
            raise ValueError(
                'alpha should be in [0, 1], beta and gamma should '
                f'not be negative, got {alpha}, {beta}, {gamma}.')
        terms = dict(
            loss_global=dict(type='NormalizedKLLoss', loss_weight=alpha),
            loss_local=dict(type='NormalizedKLLoss', loss_weight=gamma),
            loss_relation=dict(
                type='RelationLoss', loss_weight=beta, gather=gather))
        super().__init__(
            student_recorders=student_recorders,
            teacher_recorders=teacher_recorders,
            connectors=dict(logits=connector),
            distill_losses={
                name: dict(loss, type=f'mmrazor.{loss["type"]}')
                for name, loss in terms.items() if loss['loss_weight']
            },
            init_cfg=init_cfg)
        self.task_weight = 1 - alpha
        self.compared: Dict[str, List[Tensor]] = {}

    def compute_distill_losses(self) -> Dict[str, Tensor]:
        """Compute the terms that are on from what was recorded.

        Returns:
            dict[str, Tensor]: Weighted scalars ``loss_global``,
            ``loss_local`` and ``loss_relation``.

        Raises:
            ValueError: If the networks have different numbers of sets.
        """
        if not self.distill_losses:
            return dict()
        student = self._logits(from_student=True)
        with torch.no_grad():
            teacher = self._logits(from_student=False)
        if len(student) != len(teacher):
            raise ValueError(f'The student has {len(student)} sets of logits, '
                             f'the teacher {len(teacher)}: both need the same '
                             'levels and anchors.')
        # A map smaller than the grid has its global logit only.
        sizes = [min(s.shape[1], t.shape[1]) for s, t in zip(student, teacher)]
        student = [x[:, :n] for x, n in zip(student, sizes)]
        teacher = [x[:, :n] for x, n in zip(teacher, sizes)]
        # The step that follows may spoil the weights and what they put out.
        self.compared = dict(
            student=[x.detach() for x in student], teacher=teacher)
        terms: Dict[str, Callable[..., Tensor]] = dict(
            loss_global=partial(self._kl_term, rows=slice(1)),
            loss_local=partial(self._kl_term, rows=slice(1, None)),
            loss_relation=self._relation_term)
        return {
            name: terms[name](loss, student, teacher)
            for name, loss in self.distill_losses.items()
        }

    def _kl_term(self, loss: nn.Module, student: List[Tensor],
                 teacher: List[Tensor], rows: slice) -> Tensor:
        """The sum over the rows of an image, the mean over images and sets.

        Where rows are selected, the mean of those times the number that an
        image has.
        """
        images = len(student) * len(student[0])  # of all sets
        ours, theirs = (
            torch.cat([x[:, rows].flatten(0, 1) for x in logits])
            for logits in (student, teacher))
        rows_of_an_image = len(ours) / images
        return rows_of_an_image * loss(*self._select(ours, theirs))

    def _relation_term(self, loss: nn.Module, student: List[Tensor],
                       teacher: List[Tensor]) -> Tensor:
        """The mean over the sets."""
        return sum(
            loss(*self._select(s.flatten(0, 1), t.flatten(0, 1)))
            for s, t in zip(student, teacher)) / len(student)

    def describe_logits(self) -> str:
        """Say in one line in what range the logits compared last are.

        Returns:
            str: Of student and teacher how many are not finite, and the least
            and the largest of the others; empty if none were compared.
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

    def _logits(self, from_student: bool) -> List[Tensor]:
        logits = self.get_record('logits', from_student, connector='logits')
        return logits if isinstance(logits, list) else [logits]

    def _select(self, student: Tensor,
                teacher: Tensor) -> Tuple[Tensor, Tensor]:
        """Choose among the rows ``(N, K)`` of a term; all here."""
        return student, teacher
