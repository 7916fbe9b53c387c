# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Optional, Tuple, Union

import torch
from mmengine.dist import all_reduce
from mmrazor.registry import MODELS
from torch import Tensor, nn

from gld_mm.errors import UserError
from gld_mm.models.connectors.dense_logit_connector import split_anchors

from .base_gld_distiller import BaseGLDDistiller, LogitSets, flatten


@MODELS.register_module()
class SigmoidDenseGLDDistiller(BaseGLDDistiller):
    """Distil a detector whose dense head ends with sigmoids, with GLD.

    Such heads are those of RetinaNet, FCOS, ATSS, GFL, RTMDet and YOLOX. They
    have no background class, and at most positions the answer to every class
    is no. So a position weighs as much as the teacher's confidence, the
    largest score of a class times the centerness or objectness if the head has
    one, and nothing below a threshold. A logit is the weighted mean of a cell.
    Cells without any weight are left out of every term.

    The objective is that of :class:`BaseGLDDistiller` with
    :func:`gld_mm.functional.binary_kl`, and the task loss keeps its full
    weight. The relation is that of all logits of a batch together. Their
    number M varies, so the relation is multiplied by M: the paper's 500 for
    the 320 logits of a batch of CIFAR-100 is 1.6 for each.

    Args:
        cls_out_channels (int): Scores per position and anchor, the number of
            classes.
        scores (str, optional): See :class:`DenseGLDDistiller`.
            Defaults to None, it is found.
        teacher_scores (str, optional): The teacher's, if it differs.
            Defaults to None.
        score_thr (float): Confidence below which a position has no weight.
            Defaults to 0.05, as mmdet's detectors.
        beta (float): Weight of the relation term for each logit.
            Defaults to 1.6.
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        **kwargs: ``alpha``, ``gamma`` and ``gather``, see
            :class:`BaseGLDDistiller`.
    """

    def __init__(self,
                 cls_out_channels: int,
                 scores: Optional[str] = None,
                 teacher_scores: Optional[str] = None,
                 score_thr: float = 0.05,
                 beta: float = 1.6,
                 grid: Union[int, Tuple[int, int]] = 2,
                 **kwargs) -> None:
        recorder = dict(type='mmrazor.ScoreMaps')
        super().__init__(
            student_recorders=dict(
                logits=dict(recorder, source=scores, network='student')),
            teacher_recorders=dict(
                logits=dict(
                    recorder,
                    source=teacher_scores or scores,
                    network='teacher'),
                factors=dict(recorder, part=2, network='teacher')),
            connector=dict(
                type='mmrazor.DenseLogitConnector',
                cls_out_channels=cls_out_channels,
                grid=grid),
            beta=beta,
            task_loss_weight=1.,
            sigmoid=True,
            **kwargs)
        self.cls_out_channels = cls_out_channels
        self.score_thr = score_thr

    def _logits(self, from_student: bool) -> LogitSets:
        scores = self.get_record('logits', from_student)
        confidence = self._confidence()
        levels = split_anchors(scores, self.cls_out_channels)
        anchors, others = ([x.shape[1] for x in sets]
                           for sets in (levels, confidence))
        if anchors != others:
            raise UserError(
                f'The student has {anchors} anchors on its levels, the '
                f'teacher {others}: both need the same levels, anchors and '
                'classes.')
        return self.connectors['logits'].pool_weighted(scores, confidence)

    @torch.no_grad()
    def _confidence(self) -> List[Tensor]:
        """The teacher's, for each level ``(B, A, H, W)``."""
        scores = self.get_record('logits', from_student=False)
        factors = self.get_record('factors', from_student=False)
        confidence = [
            level.amax(2).sigmoid()
            for level in split_anchors(scores, self.cls_out_channels)
        ]
        # A third output of another shape, such as a refined box, is none.
        if [x.shape for x in factors] == [x.shape for x in confidence]:
            confidence = [
                c * factor.sigmoid() for c, factor in zip(confidence, factors)
            ]
        return [c.masked_fill(c < self.score_thr, 0) for c in confidence]

    def _relation_term(self, loss: nn.Module, student: List[Tensor],
                       teacher: List[Tensor],
                       labelled: Optional[List[Tensor]]) -> Tensor:
        """The relation of all sets together, times the number of logits."""
        ours, theirs = (
            torch.cat(flatten(sets, labelled)) for sets in (student, teacher))
        count = ours.new_tensor(len(ours), dtype=torch.float)
        if self.gather:
            all_reduce(count)
        return count * loss(ours, theirs)
