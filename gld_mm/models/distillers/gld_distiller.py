# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional, Tuple, Union

import torch
from mmengine.model import BaseModel
from mmpretrain.models.heads import ArcFaceClsHead, MultiLabelClsHead
from mmrazor.registry import MODELS
from torch import Tensor

from gld_mm.errors import UserError

from .base_gld_distiller import BaseGLDDistiller


@MODELS.register_module()
class GLDDistiller(BaseGLDDistiller):
    """Distil a classification network with GLD.

    The defaults are those of the paper for CIFAR-100 and the fine-grained
    sets. The objective is that of :class:`BaseGLDDistiller`.

    Args:
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        fixed_kernel (bool): See :class:`GlobalLocalLogitsRecorder`.
            Defaults to False.
        feature (str, optional): Name of the module, in both networks, that
            outputs the feature map. Defaults to None, it is found in each.
        classifier (str, optional): Name of the module, in both networks, that
            classifies pooled features. Defaults to None, all that follows the
            map.
        teacher_feature (str, optional): The teacher's, where it differs.
            Defaults to None.
        teacher_classifier (str, optional): The teacher's, where it differs.
            Defaults to None.
        **kwargs: Weights of the terms, ``sigmoid`` and ``gather``, see
            :class:`BaseGLDDistiller`.
    """

    def __init__(self,
                 grid: Union[int, Tuple[int, int]] = 2,
                 fixed_kernel: bool = False,
                 feature: Optional[str] = None,
                 classifier: Optional[str] = None,
                 teacher_feature: Optional[str] = None,
                 teacher_classifier: Optional[str] = None,
                 **kwargs) -> None:
        recorder = dict(
            type='mmrazor.GlobalLocalLogits',
            grid=grid,
            fixed_kernel=fixed_kernel)
        super().__init__(
            student_recorders=dict(
                logits=dict(
                    recorder,
                    feature=feature,
                    classifier=classifier,
                    network='student')),
            teacher_recorders=dict(
                logits=dict(
                    recorder,
                    feature=teacher_feature or feature,
                    classifier=teacher_classifier or classifier,
                    network='teacher')),
            **kwargs)

    def prepare_from_student(self, model: BaseModel) -> None:
        """Prepare to record the student.

        Args:
            model (BaseModel): The student.

        Raises:
            UserError: If its head ends with sigmoids and ``sigmoid`` is not
                set, or trains on other logits than it predicts by.
        """
        head = getattr(model, 'head', None)
        if isinstance(head, MultiLabelClsHead) and not self.sigmoid:
            raise UserError(f'A {type(head).__name__} ends with sigmoids: set '
                            'sigmoid=True of the GLDDistiller.')
        if isinstance(head, ArcFaceClsHead):
            raise UserError(
                'An ArcFaceClsHead adds a margin to the logits while it '
                'trains: GLD can use such a network as the teacher only.')
        super().prepare_from_student(model)

    def logits(self, from_student: bool) -> Tensor:
        """What GLD compares of the last batch.

        Args:
            from_student (bool): Of the student, or of the teacher.

        Returns:
            Tensor: ``(B, 1 + L, K)``, the global logit first, then the cells
            row by row.
        """
        with torch.set_grad_enabled(from_student and torch.is_grad_enabled()):
            (logits, ), _ = self._logits(from_student)
        return logits
