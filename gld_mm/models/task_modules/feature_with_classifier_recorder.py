# Copyright (c) gld_mm authors. All rights reserved.
from typing import Any, Optional, Tuple

from mmrazor.models.task_modules.recorder import ModuleOutputsRecorder
from mmrazor.registry import TASK_UTILS
from torch import nn

from .find_module import find_module


@TASK_UTILS.register_module()
class FeatureWithClassifierRecorder(ModuleOutputsRecorder):
    """Record a module's outputs together with the network's classifier.

    A record is the pair ``(outputs, classifier)`` that
    :class:`GlobalLocalLogitConnector` takes, so a connector needs no
    parameters and the classifier stays where it is in the network.

    Args:
        source (str): Name of the module whose outputs are the feature map.
        classifier (str): Name of the module that classifies pooled features.
    """

    def __init__(self, source: str, classifier: str) -> None:
        super().__init__(source)
        self._classifier_name = classifier

    def prepare_from_model(self, model: Optional[nn.Module] = None) -> None:
        """Find both modules and hook the first.

        Args:
            model (nn.Module): The network.

        Raises:
            ValueError: If the network has no module of that name.
        """
        assert model is not None, 'model can not be None.'
        self._classifier = find_module(model, self._classifier_name)
        find_module(model,
                    self.source).register_forward_hook(self.forward_hook)

    def forward_hook(self, module: nn.Module, inputs: Tuple,
                     outputs: Any) -> None:
        """Save the pair while recording."""
        if self.recording:
            self.data_buffer.append((outputs, self._classifier))
