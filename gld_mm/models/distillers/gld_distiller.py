# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional, Tuple, Union

from mmrazor.registry import MODELS

from .base_gld_distiller import BaseGLDDistiller


@MODELS.register_module()
class GLDDistiller(BaseGLDDistiller):
    """Distil a classification network with GLD.

    The defaults are those of the paper for CIFAR-100 and the fine-grained
    sets. The objective is that of :class:`BaseGLDDistiller`.

    Args:
        alpha (float): Weight of the global term; the task loss gets
            ``1 - alpha``. Defaults to 0.7.
        beta (float): Weight of the relation term. Defaults to 500.
        gamma (float): Weight of the local term, 1 in the paper.
            Defaults to 1.
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        fixed_kernel (bool): See :class:`GlobalLocalLogitConnector`.
            Defaults to False.
        feature (str): Name of the module, in both networks, that puts out the
            feature map before global pooling. Defaults to 'backbone'.
        classifier (str): Name of the module, in both networks, that classifies
            pooled features. Defaults to 'head.fc'.
        teacher_feature (str, optional): The teacher's, where it differs.
            Defaults to None.
        teacher_classifier (str, optional): The teacher's, where it differs.
            Defaults to None.
        gather (bool): Under data parallelism, whether to relate the logits of
            all processes. Defaults to True.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self,
                 alpha: float = 0.7,
                 beta: float = 500.,
                 gamma: float = 1.,
                 grid: Union[int, Tuple[int, int]] = 2,
                 fixed_kernel: bool = False,
                 feature: str = 'backbone',
                 classifier: str = 'head.fc',
                 teacher_feature: Optional[str] = None,
                 teacher_classifier: Optional[str] = None,
                 gather: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            student_recorders=dict(logits=_recorder(feature, classifier)),
            teacher_recorders=dict(
                logits=_recorder(teacher_feature or feature, teacher_classifier
                                 or classifier)),
            connector=dict(
                type='mmrazor.GlobalLocalLogitConnector',
                grid=grid,
                fixed_kernel=fixed_kernel),
            alpha=alpha,
            beta=beta,
            gamma=gamma,
            gather=gather,
            init_cfg=init_cfg)


def _recorder(feature: str, classifier: str) -> dict:
    return dict(
        type='mmrazor.FeatureWithClassifier',
        source=feature,
        classifier=classifier)
