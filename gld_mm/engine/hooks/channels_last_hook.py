# Copyright (c) gld_mm authors. All rights reserved.
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Train in the channels-last memory format, student and teacher.

    Convolutions whose weights are channels-last put out such maps whatever
    they take in, so the weights are all that has to be converted. The numbers
    change by rounding, the checkpoint's format does not.

    Not for training on a CPU if a strided 1x1 convolution takes fewer than 8
    channels: on CPUs with AVX2, oneDNN then returns wrong gradients or
    crashes (https://github.com/uxlfoundation/oneDNN/issues/6035).
    """

    def before_run(self, runner: Runner) -> None:
        """Convert the weights."""
        runner.model.to(memory_format=torch.channels_last)
