# Copyright (c) gld_mm authors. All rights reserved.
from typing import Optional, Tuple

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule, Sequential
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


class PreActBlock(BaseModule):
    """Two 3x3 convolutions, each after batch norm and ReLU.

    Where the channels change, the shortcut is a 1x1 convolution of the
    activated input.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        stride (int): Stride of the first convolution and of the shortcut.
        norm_cfg (dict): Config of the norm layers.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int,
                 norm_cfg: dict) -> None:
        super().__init__()
        self.norm1 = build_norm_layer(norm_cfg, in_channels)[1]
        self.conv1 = nn.Conv2d(
            in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm2 = build_norm_layer(norm_cfg, out_channels)[1]
        self.conv2 = nn.Conv2d(
            out_channels, out_channels, 3, padding=1, bias=False)
        self.shortcut = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Conv2d(
                in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Add the shortcut to what the convolutions make of a map."""
        out = F.relu(self.norm1(x), inplace=True)
        if self.shortcut is not None:
            x = self.shortcut(out)
        out = F.relu(self.norm2(self.conv1(out)), inplace=True)
        return x + self.conv2(out)


@MODELS.register_module()
class CifarWideResNet(BaseBackbone):
    """Wide residual network for CIFAR, WRN-depth-width.

    Zagoruyko and Komodakis, `Wide Residual Networks
    <https://arxiv.org/abs/1605.07146>`_: a 3x3 stem of 16 channels and three
    stages of n pre-activation blocks with 16k, 32k and 64k channels, on maps
    of 32, 16 and 8 pixels, for depth 6n + 4 and width k. The output is the map
    after the last batch norm and ReLU.

    Args:
        depth (int): Number of layers, 6n + 4.
        width (int): How many times as many channels as the ResNet of He et
            al., k. Defaults to 1.
        frozen_stages (int): Stages to freeze, in eval mode: 0 for the stem, 1
            to 3 for as many stages too, 3 for all. Defaults to -1, none.
        norm_cfg (dict): Config of the norm layers. Defaults to
            ``dict(type='BN')``.
        init_cfg (dict | list[dict], optional): Initialization config. Defaults
            to He initialisation.

    Raises:
        ValueError: If there is no n for the depth.
    """

    def __init__(
        self,
        depth: int,
        width: int = 1,
        frozen_stages: int = -1,
        norm_cfg: dict = dict(type='BN'),
        init_cfg: Optional[dict] = dict(type='Kaiming', layer='Conv2d')
    ) -> None:
        super().__init__(init_cfg)
        num_blocks, rest = divmod(depth - 4, 6)
        if num_blocks < 1 or rest:
            raise ValueError(f'depth should be 6n + 4, got {depth}.')
        self.frozen_stages = frozen_stages
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        channels = 16
        for stage in range(3):
            blocks = []
            for block in range(num_blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                out_channels = 16 * width * 2**stage
                blocks.append(
                    PreActBlock(channels, out_channels, stride, norm_cfg))
                channels = out_channels
            self.add_module(f'layer{stage + 1}', Sequential(*blocks))
        self.norm = build_norm_layer(norm_cfg, channels)[1]
        self._freeze_stages()

    def forward(self, x: Tensor) -> Tuple[Tensor]:
        """Compute the last feature map.

        Args:
            x (Tensor): Images ``(B, 3, H, W)``.

        Returns:
            tuple[Tensor]: One map ``(B, 64k, H / 4, W / 4)``.
        """
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return (F.relu(self.norm(x), inplace=True), )

    def train(self, mode: bool = True) -> 'CifarWideResNet':
        """Set the mode; frozen stages stay in eval mode."""
        super().train(mode)
        self._freeze_stages()
        return self

    def _freeze_stages(self) -> None:
        stages = [self.conv1, self.layer1, self.layer2, self.layer3]
        frozen = stages[:self.frozen_stages + 1]
        if self.frozen_stages == 3:
            frozen.append(self.norm)
        for module in frozen:
            module.eval().requires_grad_(False)
