# Copyright (c) gld_mm authors. All rights reserved.
import torch
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.nn import functional as F


@MODELS.register_module()
class BatchedClsDataPreprocessor(ClsDataPreprocessor):
    """Crop, flip and normalise the batches of :class:`InMemoryDataset`.

    The augmentation of ``RandomCrop(padding=p, pad_val=0)`` to the images' own
    size and ``RandomFlip``, drawn for each image, for a whole batch at once
    and on the device. Outside training images are normalised only.

    Args:
        padding (int): Black pixels around an image before it is cropped.
            Defaults to 4.
        flip_prob (float): Probability of a horizontal flip. Defaults to 0.5.
        channels_last (bool): Whether to put images out in the channels-last
            memory format, which the networks then keep: the same numbers but
            for rounding. A CPU trains some narrow networks wrongly in it, see
            :class:`ChannelsLastHook`. Defaults to False.
        **kwargs: Other arguments of :class:`ClsDataPreprocessor`.
    """

    def __init__(self,
                 padding: int = 4,
                 flip_prob: float = 0.5,
                 channels_last: bool = False,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.padding = padding
        self.flip_prob = flip_prob
        self.memory_format = (
            torch.channels_last if channels_last else torch.contiguous_format)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data (dict): ``inputs`` (B, 3, H, W) uint8 and ``gt_label`` (B, ).
            training (bool): Whether to augment. Defaults to False.

        Returns:
            dict: ``inputs`` (B, 3, H, W) float32 and a list ``data_samples``.
        """
        # Labels before they are on the device, which would be asked for each.
        labels = data['gt_label'].tolist()
        images = self.cast_data(data['inputs'])
        if training:
            images = random_crop_flip(images, self.padding, self.flip_prob)
        samples = [DataSample().set_gt_label(label) for label in labels]
        data = super().forward(
            dict(inputs=images, data_samples=samples), training)
        data['inputs'] = data['inputs'].contiguous(
            memory_format=self.memory_format)
        return data


def random_crop_flip(images: Tensor, padding: int, flip_prob: float) -> Tensor:
    """Shift each image within a black border, and mirror some.

    Args:
        images (Tensor): ``(B, C, H, W)``.
        padding (int): Pixels of border on each side.
        flip_prob (float): Probability of a horizontal flip.

    Returns:
        Tensor: ``(B, C, H, W)``.
    """
    batch, _, height, width = images.shape

    def shift() -> Tensor:
        return torch.randint(2 * padding + 1, (batch, 1), device=images.device)

    rows = shift() + torch.arange(height, device=images.device)
    cols = torch.arange(width, device=images.device).repeat(batch, 1)
    flip = torch.rand(batch, 1, device=images.device) < flip_prob
    cols = shift() + torch.where(flip, cols.flip(1), cols)
    padded = F.pad(images, (padding, ) * 4)
    index = torch.arange(batch, device=images.device).view(-1, 1, 1)
    # The indexed axes come first: (B, H, W, C).
    return padded[index, :, rows[:, :, None], cols[:,
                                                   None]].permute(0, 3, 1, 2)
