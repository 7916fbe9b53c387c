# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional, Tuple, Union

from mmrazor.registry import MODELS

from .base_gld_distiller import BaseGLDDistiller


@MODELS.register_module()
class DenseGLDDistiller(BaseGLDDistiller):
    """Distil a network that scores classes at each position with GLD.

    A detector's head or a segmentation head: their classifier is a
    convolution, so pooling its scores gives the logits of the whole image and
    of the cells of a grid, see :class:`DenseLogitConnector`. Not in the paper,
    which distils classification networks only. The objective is that of
    :class:`BaseGLDDistiller`, but that the task loss counts fully: it has
    parts, such as the boxes, that no term teaches.

    Args:
        cls_out_channels (int): Scores of a position and anchor, the
            background included where it has one. Not ``num_classes``, which
            mmdet's ``NumClassCheckHook`` compares with the dataset's.
        scores (str): Name of the module, in both networks, that puts out the
            map of scores, or of the list of one for each level.
            Defaults to 'bbox_head.cls_convs', that of SSD.
        teacher_scores (str, optional): The teacher's, where it differs.
            Defaults to None.
        alpha (float): Weight of the global term. Defaults to 0.7.
        beta (float): Weight of the relation term. Defaults to 500.
        gamma (float): Weight of the local term. Defaults to 1.
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self,
                 cls_out_channels: int,
                 scores: str = 'bbox_head.cls_convs',
                 teacher_scores: Optional[str] = None,
                 alpha: float = 0.7,
                 beta: float = 500.,
                 gamma: float = 1.,
                 grid: Union[int, Tuple[int, int]] = 2,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            student_recorder=dict(type='mmrazor.ScoreMaps', source=scores),
            teacher_recorder=dict(
                type='mmrazor.ScoreMaps', source=teacher_scores or scores),
            connector=dict(
                type='mmrazor.DenseLogitConnector',
                cls_out_channels=cls_out_channels,
                grid=grid),
            alpha=alpha,
            beta=beta,
            gamma=gamma,
            init_cfg=init_cfg)
        self.task_weight = 1.
