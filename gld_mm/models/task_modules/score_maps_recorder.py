# Copyright (c) gld_mm authors. All rights reserved.
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from mmengine.model import BaseModel
from mmrazor.registry import TASK_UTILS
from torch import Tensor, nn

from gld_mm.errors import UserError

from .find_module import find_module
from .trace import as_in_testing, describe, not_called, tensors, trace
from .trial_recorder import TrialRecorder


@TASK_UTILS.register_module()
class ScoreMapsRecorder(TrialRecorder):
    """Record the maps of class scores that a dense head predicts by.

    Without a name they are found: they are what a segmentation network
    outputs, or the first of what a detector outputs, a map for each level. The
    hosts compute losses past the head's own hooks, so the modules that output
    these maps are hooked. Where none does, as in Segmenter, the head's
    ``forward`` is recorded.

    Args:
        source (str, optional): Name of the module that outputs the scores, or
            of the ``ModuleList`` of one for each level. Defaults to None.
        part (int): Which part of a detector's output is recorded: 0, the
            scores, or 2, the centerness or objectness. Nothing is recorded if
            the output has no such part. Defaults to 0.
        network (str): What errors call the network. Defaults to 'network'.
    """

    def __init__(self,
                 source: Optional[str] = None,
                 part: int = 0,
                 network: str = 'network') -> None:
        super().__init__(source, network)
        self.part = part

    def prepare_from_model(self, model: Optional[BaseModel] = None) -> None:
        """Find the modules that have a name and hook them.

        Args:
            model (BaseModel): The network.

        Raises:
            UserError: If the network has no module of that name.
        """
        super().prepare_from_model(model)
        self.levels: Optional[int] = None
        # Where the scores are among what a module outputs
        self._places: Dict[nn.Module, int] = {}
        if self.source is not None:
            module = find_module(self.model, self.source)
            for level in module if isinstance(module,
                                              nn.ModuleList) else [module]:
                level.register_forward_hook(self.forward_hook)

    def try_out(self, images: Tensor) -> None:
        """Find what has no name.

        Args:
            images (Tensor): ``(2, 3, H, W)``.

        Raises:
            UserError: If the network has no maps of scores.
        """
        if self.source is not None:
            return
        try:
            with as_in_testing(self.model):
                calls, output = trace(self.model, images)
            found = describe(output)
        except (TypeError, NotImplementedError) as error:
            # Heads that need annotations, such as Mask2Former's, or points
            output, found = (), f'nothing ({error})'
        if self.part and len(output) <= self.part:
            self.levels = 0
            return
        scores = self._part_of(output)
        if not scores or any(x.ndim != 4 for x in scores):
            raise UserError(
                f'The {self.network}, a {type(self.model).__name__}, outputs '
                f'{found} for images alone; GLD needs maps of class scores '
                '(B, C, H, W).')
        self.levels = len(scores)
        for score in scores:
            origin: Optional[Tuple[nn.Module, int]] = next(
                ((call.module, place) for call in calls
                 for place, x in enumerate(call.outputs) if x is score), None)
            if origin is None:
                self._record_forward()
                return
            module, place = origin
            if module not in self._places:
                self._places[module] = place
                module.register_forward_hook(self._record)

    @torch.compiler.disable
    def _record(self, module: nn.Module, args: tuple, output: Any) -> None:
        self.forward_hook(module, args, tensors(output)[self._places[module]])

    def _record_forward(self) -> None:
        head = getattr(self.model, 'decode_head', None) or self.model.bbox_head
        head = head[-1] if isinstance(head, nn.ModuleList) else head
        # A copy of the network copies what is bound, which a closure is not.
        head.forward = partial(self._forward, head, head.forward)

    def _forward(self, head: nn.Module, forward: Callable, *args: Any,
                 **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        for score in self._part_of(output):
            self.forward_hook(head, args, score)
        return output

    def _part_of(self, output: Any) -> List[Tensor]:
        """The maps of the part of what a head or a network outputs."""
        if isinstance(output, Tensor):
            output = (output, )
        return tensors(output[self.part:self.part + 1])

    def get_record_data(self, *args: Any, **kwargs: Any) -> List[Tensor]:
        """Get the maps of the last forward.

        Returns:
            list[Tensor]: The map of each level ``(B, A * K, H, W)``.

        Raises:
            UserError: If a module that has a name was not called.
        """
        if self.levels == 0:
            return []
        if not self.data_buffer:
            raise UserError(
                not_called(self.source or 'The head', self.network))
        return self.data_buffer[-(self.levels or 0):]
