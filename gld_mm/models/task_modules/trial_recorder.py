# Copyright (c) gld_mm authors. All rights reserved.
from abc import abstractmethod
from contextlib import nullcontext
from typing import Any, List, Optional

import torch
from mmengine.model import BaseModel
from mmrazor.models.task_modules.recorder import ModuleOutputsRecorder
from torch import Tensor, nn


class TrialRecorder(ModuleOutputsRecorder):
    """A recorder that finds what to record by a trial of the network.

    Two images of the first batch that is recorded are tried. A distilled
    student records from within its own forward, so the first of its parts that
    is called brings the images.

    Args:
        source (str, optional): Name of a module, if it is not to be found.
        network (str): What errors call the network.
    """

    def __init__(self, source: Optional[str], network: str) -> None:
        super().__init__(source)
        self.network = network
        self._was_tried = False

    def prepare_from_model(self, model: Optional[BaseModel] = None) -> None:
        """Wait for images.

        Args:
            model (BaseModel): The network.
        """
        assert model is not None, 'model can not be None.'
        self.model = model
        for part in model.children():
            part.register_forward_pre_hook(self._begin, with_kwargs=True)

    def __getstate__(self) -> dict:
        """What is copied: not the last forward, which has gradients."""
        return {**self.__dict__, '_data_buffer': []}

    def __enter__(self) -> None:
        """Start to record."""
        self._has_begun = False
        super().__enter__()

    @torch.compiler.disable
    def _begin(self, part: nn.Module, args: tuple, kwargs: dict) -> None:
        if not self.recording or self._has_begun:
            return
        self._has_begun = True
        images = args[0] if args else next(iter(kwargs.values()))
        if not self._was_tried:
            self._was_tried = True
            before = [(buffer, len(buffer)) for buffer in self._buffers()]
            # torch.compile would compile the trial.
            eager: Any = getattr(torch.compiler, 'set_stance', nullcontext)
            with eager('force_eager'):
                self.try_out(images[:2])
            for buffer, length in before:  # without those of the trial
                del buffer[length:]
            # Old torch would use casts of the trial (pytorch#112583).
            torch.clear_autocast_cache()
            # What was compiled before knows nothing of new hooks.
            torch.compiler.reset()
        self.begin(images)

    def _buffers(self) -> List[list]:
        """What the recorders of the network, of any kind, have so far."""
        hooks = (
            hook for module in self.model.modules()
            for hook in module._forward_hooks.values())
        recorders = (getattr(hook, '__self__', None) for hook in hooks)
        return [
            recorder.data_buffer for recorder in recorders
            if isinstance(recorder, ModuleOutputsRecorder)
        ]

    @abstractmethod
    def try_out(self, images: Tensor) -> None:
        """Find what to record.

        Args:
            images (Tensor): ``(2, 3, H, W)``.
        """

    def begin(self, images: Tensor) -> None:
        """Start a forward.

        Args:
            images (Tensor): ``(B, 3, H, W)``.
        """
