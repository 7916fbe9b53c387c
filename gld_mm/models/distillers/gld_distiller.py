# Copyright (c) gld_mm authors. All rights reserved.
from typing import Dict, Optional, Tuple, Union

import torch
from mmrazor.models.distillers import ConfigurableDistiller
from mmrazor.registry import MODELS
from torch import Tensor

# Which of the 1 + L logits of an image each term compares.
_ROWS = dict(
    loss_global=slice(0, 1),
    loss_local=slice(1, None),
    loss_relation=slice(None))


@MODELS.register_module()
class GLDDistiller(ConfigurableDistiller):
    r"""Distil global and local logits with densely connected relations.

    .. math::
        L = (1 - \alpha) L_{task} + \alpha L_{ND}(Z^0)
            + \gamma \sum_{l=1}^{L} L_{ND}(Z^l) + \beta L_{relation}(Z)

    The equations are in :mod:`gld_mm.functional`. A term whose weight is zero
    is not computed, which is how the ablation of the paper turns it off. The
    defaults are those of the paper for CIFAR-100 and the fine-grained sets.

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
                 init_cfg: Optional[dict] = None) -> None:
        if not 0 <= alpha <= 1 or beta < 0 or gamma < 0:
            raise ValueError(
                'alpha should be in [0, 1], beta and gamma should '
                f'not be negative, got {alpha}, {beta}, {gamma}.')
        weights = dict(
            loss_global=('NormalizedKLLoss', alpha),
            loss_local=('NormalizedKLLoss', gamma),
            loss_relation=('RelationLoss', beta))
        super().__init__(
            student_recorders=_recorder(feature, classifier),
            teacher_recorders=_recorder(teacher_feature or feature,
                                        teacher_classifier or classifier),
            connectors=dict(
                logits=dict(
                    type='mmrazor.GlobalLocalLogitConnector',
                    grid=grid,
                    fixed_kernel=fixed_kernel)),
            distill_losses={
                name: dict(type=f'mmrazor.{loss}', loss_weight=weight)
                for name, (loss, weight) in weights.items() if weight
            },
            init_cfg=init_cfg)
        self.task_weight = 1 - alpha

    def compute_distill_losses(self) -> Dict[str, Tensor]:
        """Compute the terms that are on from the recorded features.

        Returns:
            dict[str, Tensor]: Weighted scalars ``loss_global``,
            ``loss_local`` and ``loss_relation``.
        """
        if not self.distill_losses:
            return dict()
        student = self.get_record('logits', True, connector='logits')
        with torch.no_grad():
            teacher = self.get_record('logits', False, connector='logits')
        # The local term is a sum over the cells, the loss their mean.
        factor = dict(loss_local=student.shape[1] - 1)
        return {
            name:
            factor.get(name, 1) *
            loss(student[:, _ROWS[name]], teacher[:, _ROWS[name]])
            for name, loss in self.distill_losses.items()
        }


def _recorder(feature: str, classifier: str) -> Dict[str, dict]:
    return dict(
        logits=dict(
            type='mmrazor.FeatureWithClassifier',
            source=feature,
            classifier=classifier))
