# Copyright (c) gld_mm authors. All rights reserved.
from typing import Sequence

from mmpretrain.models.backbones.resnet import BasicBlock
from mmpretrain.models.backbones.resnet_cifar import ResNet_CIFAR
from mmpretrain.registry import MODELS


@MODELS.register_module()
class CifarResNet(ResNet_CIFAR):
    """The 6n+2-layer ResNet for CIFAR: ResNet-20, 32, 44, 56, 110.

    He et al., `Deep Residual Learning for Image Recognition
    <https://arxiv.org/abs/1512.03385>`_, section 4.2: a 3x3 stem of 16
    channels and three stages of n basic blocks with 16, 32 and 64 channels, on
    maps of 32, 16 and 8 pixels. Where the channels grow, the shortcut is
    mmpretrain's 1x1 convolution with batch norm (option B of the paper).

    Args:
        depth (int): Number of layers, 6n + 2.
        base_channels (int): Channels of the stem and of the first stage.
            Defaults to 16.
        strides (Sequence[int]): Stride of the first block of each stage.
            Defaults to ``(1, 2, 2)``.
        out_indices (Sequence[int]): Output from which stages. Defaults to
            ``(2, )``.
        zero_init_residual (bool): Whether to start each residual branch from
            zero, which the paper does not. Defaults to False.
        **kwargs: Other arguments of :class:`mmpretrain.models.ResNet`.
    """
    arch_settings = {6 * n + 2: (BasicBlock, (n, n, n)) for n in range(1, 201)}

    def __init__(self,
                 depth: int,
                 base_channels: int = 16,
                 strides: Sequence[int] = (1, 2, 2),
                 out_indices: Sequence[int] = (2, ),
                 zero_init_residual: bool = False,
                 **kwargs) -> None:
        if depth not in self.arch_settings:
            raise ValueError(f'depth should be 6n + 2, got {depth}.')
        super().__init__(
            depth,
            stem_channels=base_channels,
            base_channels=base_channels,
            num_stages=3,
            strides=strides,
            dilations=(1, 1, 1),
            out_indices=out_indices,
            zero_init_residual=zero_init_residual,
            **kwargs)
