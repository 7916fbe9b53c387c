# Copyright (c) gld_mm authors. All rights reserved.
from typing import Any, Callable, Optional, Tuple, Union

from mmengine.utils import to_2tuple
from mmrazor.models.architectures.connectors.base_connector import \
    BaseConnector
from mmrazor.registry import MODELS
from torch import Tensor

from gld_mm.functional import global_local_logits


@MODELS.register_module()
class GlobalLocalLogitConnector(BaseConnector):
    """Feature map and classifier -> global and local logits.

    See :func:`gld_mm.functional.global_local_logits`. In a distiller it takes
    what a :class:`FeatureWithClassifierRecorder` records.

    Args:
        grid (int | tuple[int, int]): Rows and columns of local logits.
            Defaults to 2.
        fixed_kernel (bool): Pool as the authors' CIFAR-100 code does, with a
            fixed kernel that drops what does not divide. Defaults to False.
        init_cfg (dict, optional): Initialization config. Defaults to None.
    """

    def __init__(self,
                 grid: Union[int, Tuple[int, int]] = 2,
                 fixed_kernel: bool = False,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.grid = to_2tuple(grid)
        if min(self.grid) < 1:
            raise ValueError(f'grid should be at least 1, got {grid}.')
        self.fixed_kernel = fixed_kernel

    def forward(
            self,
            feature: Any,
            classifier: Optional[Callable[[Tensor], Tensor]] = None) -> Tensor:
        """Compute global and local logits.

        Args:
            feature (Tensor | tuple): Feature map ``(B, C, H, W)``, or the
                outputs of a backbone, of which the last is taken. Without a
                classifier a pair of the two.
            classifier (Callable, optional): The network's own classifier,
                ``(N, C) -> (N, K)``.

        Returns:
            Tensor: ``(B, 1 + L, K)``, the global logit first.
        """
        if classifier is None:
            feature, classifier = feature
        return self.forward_train(feature, classifier)

    def forward_train(self, feature: Any,
                      classifier: Callable[[Tensor], Tensor]) -> Tensor:
        """Training computation, see :meth:`forward`."""
        if isinstance(feature, (tuple, list)):
            feature = feature[-1]
        return global_local_logits(feature, classifier, self.grid,
                                   self.fixed_kernel)
