# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Optional, Tuple, Union

from mmrazor.registry import MODELS
from torch import Tensor

from .base_gld_distiller import BaseGLDDistiller


@MODELS.register_module()
class DenseGLDDistiller(BaseGLDDistiller):
    """Distil a network that scores classes at each position with GLD.

    A detector's head or a segmentation head: their classifier is a
    convolution, so pooling its scores gives the logits of the whole image and
    of the cells of a grid, see :class:`DenseLogitConnector`. Not in the paper,
    which distils classification networks only. The objective is that of
    :class:`BaseGLDDistiller`, but that the task loss counts fully: it has
    parts, such as the boxes or where in a cell a class is, that no term
    teaches.

    Pixels without a label, of a segmentation's padding or of its
    ``ignore_index``, are left out of the pooled logits, and a cell without any
    other pixel out of every term.

    Args:
        cls_out_channels (int): Scores of a position and anchor, the
            background included where it has one. Not ``num_classes``, which
            mmdet's ``NumClassCheckHook`` compares with the dataset's.
        scores (str): Name of the module, in both networks, that puts out the
            map of scores, or of the list of one for each level.
            Defaults to 'bbox_head.cls_convs', that of SSD.
        teacher_scores (str, optional): The teacher's, where it differs.
            Defaults to None.
        labels (str, optional): Import path of the method that puts out the
            student's labels ``(B, 1, H, W)``, for a segmentation head
            ``mmseg.models.decode_heads.decode_head.BaseDecodeHead._stack_batch_gt``.
            Defaults to None, every position counts.
        ignore_index (int): Label of a pixel to leave out. Defaults to 255.
        alpha (float): Weight of the global term. Defaults to 0.7.
        beta (float): Weight of the relation term. Defaults to 500.
        gamma (float): Weight of the local term. Defaults to 1.
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        gather (bool): Under data parallelism, whether to relate the logits of
            all processes. Defaults to True.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """  # noqa: E501

    def __init__(self,
                 cls_out_channels: int,
                 scores: str = 'bbox_head.cls_convs',
                 teacher_scores: Optional[str] = None,
                 labels: Optional[str] = None,
                 ignore_index: int = 255,
                 alpha: float = 0.7,
                 beta: float = 500.,
                 gamma: float = 1.,
                 grid: Union[int, Tuple[int, int]] = 2,
                 gather: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        student_recorders = dict(
            logits=dict(type='mmrazor.ScoreMaps', source=scores))
        if labels is not None:
            student_recorders['labels'] = dict(
                type='mmrazor.MethodOutputs', source=labels)
        super().__init__(
            student_recorders=student_recorders,
            teacher_recorders=dict(
                logits=dict(
                    type='mmrazor.ScoreMaps', source=teacher_scores
                    or scores)),
            connector=dict(
                type='mmrazor.DenseLogitConnector',
                cls_out_channels=cls_out_channels,
                grid=grid),
            alpha=alpha,
            beta=beta,
            gamma=gamma,
            gather=gather,
            init_cfg=init_cfg)
        self.task_weight = 1.
        self.has_labels = labels is not None
        self.ignore_index = ignore_index

    def _logits(self, from_student: bool) -> List[Tensor]:
        scores = self.get_record('logits', from_student)
        labelled = None
        if self.has_labels:
            labels = self.get_record('labels', from_student=True)
            labelled = labels != self.ignore_index
        return self.connectors['logits'](scores, labelled)

    def _select(self, student: Tensor,
                teacher: Tensor) -> Tuple[Tensor, Tensor]:
        if not self.has_labels:
            return student, teacher
        # What the connector makes of a cell without a label is all zero.
        labelled = teacher.any(-1)
        return student[labelled], teacher[labelled]
