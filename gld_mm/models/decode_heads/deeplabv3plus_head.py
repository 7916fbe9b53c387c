# Copyright (c) gld_mm authors. All rights reserved.
from typing import Sequence

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import ASPPHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class DeepLabV3PlusHead(ASPPHead):
    """DeepLabV3+ with plain convolutions, the head of the paper's table 6.

    Chen et al., `Encoder-Decoder with Atrous Separable Convolution
    <https://arxiv.org/abs/1802.02611>`_, whose convolutions mmseg's
    ``DepthwiseSeparableASPPHead`` has separated. Here ASPP and decoder are
    not, and the branches of ASPP are joined by a 1x1 convolution: with
    ResNet-18 and 34, 21 classes and the defaults the networks have the paper's
    16,608,181 and 26,716,341 parameters.

    Args:
        c1_in_channels (int): Channels of the first feature map, for the
            decoder.
        c1_channels (int): What they are reduced to. Defaults to 48.
        **kwargs: Other arguments of :class:`mmseg.models.ASPPHead`.
    """

    def __init__(self,
                 c1_in_channels: int,
                 c1_channels: int = 48,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        layer = dict(
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg)
        branches = len(self.dilations) + 1
        self.bottleneck = ConvModule(branches * self.channels, self.channels,
                                     1, **layer)
        self.c1_bottleneck = ConvModule(c1_in_channels, c1_channels, 1,
                                        **layer)
        self.decoder = nn.Sequential(
            ConvModule(
                self.channels + c1_channels,
                self.channels,
                3,
                padding=1,
                **layer),
            ConvModule(self.channels, self.channels, 3, padding=1, **layer))

    def _forward_feature(self, inputs: Sequence[Tensor]) -> Tensor:
        """Compute what is classified.

        Args:
            inputs (Sequence[Tensor]): Feature maps of the backbone, the first
                ``(B, c1_in_channels, H, W)``.

        Returns:
            Tensor: ``(B, channels, H, W)``.
        """
        low = self.c1_bottleneck(inputs[0])
        high = resize(
            super()._forward_feature(inputs),
            size=low.shape[2:],
            mode='bilinear',
            align_corners=self.align_corners)
        return self.decoder(torch.cat([high, low], 1))
