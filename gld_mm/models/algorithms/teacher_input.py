# Copyright (c) gld_mm authors. All rights reserved.
from typing import NamedTuple, Optional, Tuple

import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor


class TeacherInput(NamedTuple):
    """How the student's images become what the teacher was trained on.

    Args:
        flip (bool): Whether the order of the channels differs.
        scale (tuple[float, ...]): Factor of each channel of the teacher.
        shift (tuple[float, ...]): What is added to it then.
        size (tuple[int, int], optional): Height and width of the teacher's
            images; None are those of the student.
    """
    flip: bool
    scale: Tuple[float, ...]
    shift: Tuple[float, ...]
    size: Optional[Tuple[int, int]]

    def __call__(self, images: Tensor) -> Tensor:
        """Map a batch.

        Args:
            images (Tensor): As the student sees them, ``(B, C, H, W)``.

        Returns:
            Tensor: As the teacher does.
        """
        if self.flip:
            images = images.flip(1)
        scale, shift = (
            images.new_tensor(x).view(-1, 1, 1)
            for x in (self.scale, self.shift))
        images = images * scale + shift
        if self.size is not None and tuple(self.size) != images.shape[2:]:
            images = F.interpolate(
                images, self.size, mode='bilinear', antialias=True)
        return images


def teacher_input(
        student: BaseDataPreprocessor,
        teacher: BaseDataPreprocessor,
        size: Optional[Tuple[int, int]] = None) -> Optional[TeacherInput]:
    """Compare the preprocessing of two networks.

    Both are affine in each channel, so the way from one to the other is, and
    it is exact but for pixels that are padded after normalisation.

    Args:
        student (BaseDataPreprocessor): Of mmpretrain, mmseg or mmdet.
        teacher (BaseDataPreprocessor): The same.
        size (tuple[int, int], optional): Height and width of images that the
            teacher takes. Defaults to None, any.

    Returns:
        TeacherInput | None: None where they see the same.
    """
    ours, theirs = _normalisation(student), _normalisation(teacher)
    flip = _converts(student) != _converts(teacher)
    if flip:
        ours = ours[0][::-1], ours[1][::-1]
    channels = max(len(channel) for channel in (*ours, *theirs))
    (mean, std), (wanted_mean,
                  wanted_std) = ([x * (channels // len(x)) for x in space]
                                 for space in (ours, theirs))
    scale = tuple(a / b for a, b in zip(std, wanted_std))
    shift = tuple(
        (a - b) / c for a, b, c in zip(mean, wanted_mean, wanted_std))
    same = not flip and set(scale) == {1.} and set(shift) == {0.}
    return None if same and size is None else TeacherInput(
        flip, scale, shift, size)


def _normalisation(preprocessor: BaseDataPreprocessor) -> Tuple[list, list]:
    if not getattr(preprocessor, '_enable_normalize', False):
        return [0.], [1.]
    return (preprocessor.mean.flatten().tolist(),
            preprocessor.std.flatten().tolist())


def _converts(preprocessor: BaseDataPreprocessor) -> bool:
    """Whether channels are put into another order than the images have.

    mmpretrain, mmseg and mmengine each have a name for it.
    """
    return any(
        getattr(preprocessor, name, False)
        for name in ('to_rgb', 'channel_conversion', '_channel_conversion'))
