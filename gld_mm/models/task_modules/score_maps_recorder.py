# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Optional

from mmrazor.models.task_modules.recorder import ModuleOutputsRecorder
from mmrazor.registry import TASK_UTILS
from torch import Tensor, nn

from .find_module import find_module


@TASK_UTILS.register_module()
class ScoreMapsRecorder(ModuleOutputsRecorder):
    """Record the maps of class scores of a dense head.

    A head with levels has its classifiers in a list, which outputs nothing
    itself; and detectors call their head's ``forward`` directly where they
    compute no loss, past the hooks of the head. Its classifiers are called as
    modules always.

    Args:
        source (str): Name of the module that outputs the scores, or of the
            ``ModuleList`` of one for each level.
    """

    def prepare_from_model(self, model: Optional[nn.Module] = None) -> None:
        """Find the classifiers and hook them.

        Args:
            model (nn.Module): The network.

        Raises:
            ValueError: If the network has no module of that name.
        """
        assert model is not None, 'model can not be None.'
        module = find_module(model, self.source)
        levels = module if isinstance(module, nn.ModuleList) else [module]
        for level in levels:
            level.register_forward_hook(self.forward_hook)

    def get_record_data(self,
                        record_idx: int = 0,
                        data_idx: Optional[int] = None) -> List[Tensor]:
        """Get what was recorded.

        Args:
            record_idx (int): Not used. Defaults to 0.
            data_idx (int, optional): Not used. Defaults to None.

        Returns:
            list[Tensor]: The map of each level ``(B, A * K, H, W)``.
        """
        return list(self.data_buffer)
