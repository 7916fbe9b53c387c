# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional, Tuple, Union

from mmengine.model import BaseModel
from mmrazor.registry import MODELS

from gld_mm.errors import UserError

from .base_gld_distiller import BaseGLDDistiller, LogitSets


@MODELS.register_module()
class DenseGLDDistiller(BaseGLDDistiller):
    """Distil a detector or a segmentation network with GLD.

    The classifier of a dense head is a convolution, so pooling its scores
    gives the logits of the whole image and of the cells of a grid, see
    :class:`DenseLogitConnector`. This extends the paper, which distils
    classification networks only. The objective is that of
    :class:`BaseGLDDistiller`, except that the task loss keeps its full weight:
    no term teaches the boxes, or where in a cell a class is.

    Pixels without a label (padding and ``ignore_index`` in segmentation) are
    left out of the pooled logits. Cells without a labelled pixel are left out
    of every term.

    Args:
        cls_out_channels (int): Scores per position and anchor, including the
            background class if there is one. It is not called ``num_classes``
            because mmdet's ``NumClassCheckHook`` compares that with the
            dataset's.
        scores (str, optional): Name of the module, in both networks, whose
            output is the map of scores, or of the list with one module per
            level. Defaults to None, it is found in each.
        teacher_scores (str, optional): The teacher's, if it differs.
            Defaults to None.
        labels (str, optional): Import path of the method that returns the
            student's labels ``(B, 1, H, W)``, for a segmentation head
            ``mmseg.models.decode_heads.decode_head.BaseDecodeHead._stack_batch_gt``.
            Defaults to None, every pixel is labelled.
        ignore_index (int): Label of a pixel to leave out. Defaults to 255.
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        **kwargs: Weights of the terms, ``sigmoid`` and ``gather``, see
            :class:`BaseGLDDistiller`.
    """  # noqa: E501

    def __init__(self,
                 cls_out_channels: int,
                 scores: Optional[str] = None,
                 teacher_scores: Optional[str] = None,
                 labels: Optional[str] = None,
                 ignore_index: int = 255,
                 grid: Union[int, Tuple[int, int]] = 2,
                 **kwargs) -> None:
        student_recorders = dict(
            logits=dict(
                type='mmrazor.ScoreMaps', source=scores, network='student'))
        if labels is not None:
            student_recorders['labels'] = dict(
                type='mmrazor.MethodOutputs', source=labels)
        super().__init__(
            student_recorders=student_recorders,
            teacher_recorders=dict(
                logits=dict(
                    type='mmrazor.ScoreMaps',
                    source=teacher_scores or scores,
                    network='teacher')),
            connector=dict(
                type='mmrazor.DenseLogitConnector',
                cls_out_channels=cls_out_channels,
                grid=grid),
            task_loss_weight=1.,
            **kwargs)
        self.cls_out_channels = cls_out_channels
        self.has_labels = labels is not None
        self.ignore_index = ignore_index

    def prepare_from_student(self, model: BaseModel) -> None:
        """Prepare to record the student.

        Args:
            model (BaseModel): The student.

        Raises:
            UserError: If its head ends with sigmoids and ``sigmoid`` is not
                set.
        """
        detects = getattr(
            getattr(model, 'bbox_head', None), 'use_sigmoid_cls', False)
        if not self.sigmoid and (detects or self.cls_out_channels == 1):
            better = 'take the SigmoidDenseGLDDistiller' if detects else \
                'set sigmoid=True of the DenseGLDDistiller'
            raise UserError(f'The head ends with sigmoids: {better}.')
        super().prepare_from_student(model)

    def _logits(self, from_student: bool) -> LogitSets:
        if not self.has_labels:
            return super()._logits(from_student)
        scores = self.get_record('logits', from_student)
        labels = self.get_record('labels', from_student=True)
        if isinstance(labels, tuple):  # PIDNet's has edges beside them
            labels = labels[0]
        labelled = labels != self.ignore_index
        return self.connectors['logits'].pool_weighted(scores, [labelled] *
                                                       len(scores))
