# Copyright (c) gld_mm authors. All rights reserved.
import warnings

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Train in the channels-last memory format, student and teacher.

    Convolutions whose weights are channels-last put out such maps whatever
    they take in, so the weights are all that has to be converted. The numbers
    change by rounding, the checkpoint's format does not.

    On CPUs with AVX2, oneDNN returns wrong gradients of strided 1x1
    convolutions that take fewer than 8 channels, or crashes
    (https://github.com/uxlfoundation/oneDNN/issues/6035). A warning names
    them.
    """

    def before_run(self, runner: Runner) -> None:
        """Convert the weights."""
        for name, conv in runner.model.named_modules():
            if (isinstance(conv, nn.Conv2d) and conv.kernel_size == (1, 1)
                    and max(conv.stride) > 1 and conv.in_channels < 8
                    and conv.weight.device.type == 'cpu'):
                warnings.warn(f'{name} takes {conv.in_channels} channels: in '
                              'the channels-last format, a CPU with AVX2 '
                              'trains it wrongly or crashes. Leave '
                              'ChannelsLastHook off.')
        runner.model.to(memory_format=torch.channels_last)
