# Copyright (c) gld_mm authors. All rights reserved.
"""Find masks that a segmentation network cannot learn from."""
from typing import Iterator, Optional, Set, Tuple

import numpy as np
from mmengine.dataset import BaseDataset
from PIL import Image

from .user_error import UserError

# How many masks are read, and of how many the head of the file only.
_READ = 1000
_OPENED = 20000


def check_masks(dataset: BaseDataset) -> None:
    """Check kind and size of masks, and the labels of some.

    Of a large dataset kind and size of 20,000 masks, evenly spread, and the
    labels of 1,000 of them, so that a training does not wait;
    tools/check_data.py reads all.

    Args:
        dataset (BaseDataset): A built dataset, not made of others; one without
            masks passes.

    Raises:
        UserError: If a mask is not one of labels, of another size than its
            image, or has a label that is no class.
    """
    pairs = list(masks(dataset))
    known = known_labels(dataset) if pairs else None
    pairs = pairs[::max(1, len(pairs) // _OPENED)]
    step = max(1, len(pairs) // _READ)
    for index, (image, mask) in enumerate(pairs):
        fault = mask_fault(image, mask, known if index % step == 0 else None)
        if fault:
            raise UserError(fault)


def masks(dataset: BaseDataset) -> Iterator[Tuple[str, str]]:
    """List the masks of a dataset.

    Args:
        dataset (BaseDataset): A built dataset, not made of others.

    Yields:
        tuple[str, str]: Paths of an image and its mask.
    """
    if hasattr(dataset, 'get_data_info'):
        for index in range(len(dataset)):
            info = dataset.get_data_info(index)
            if info.get('seg_map_path'):
                yield info['img_path'], info['seg_map_path']


def known_labels(dataset: BaseDataset) -> Set[int]:
    """The values that the files of a dataset's masks may have.

    Args:
        dataset (BaseDataset): A built dataset of mmseg.

    Returns:
        set[int]: Labels, before the dataset maps them, and what is ignored.
    """
    # With a map, the labels are those of all classes that the dataset knows.
    metainfo = dataset.METAINFO if getattr(dataset, 'label_map',
                                           None) else dataset.metainfo
    count = len(metainfo.get('classes', ()))
    count += bool(getattr(dataset, 'reduce_zero_label', False))
    return {*range(count), getattr(dataset, 'ignore_index', 255)}


def mask_fault(image: str, mask: str, known: Optional[Set[int]]) -> str:
    """Say what is wrong with a mask.

    Args:
        image (str): Path of the image.
        mask (str): Path of its mask.
        known (set[int], optional): Values that it may have. None does not
            read them.

    Returns:
        str: One line, empty if nothing is.
    """
    try:
        with Image.open(image) as opened:
            size = opened.size
        with Image.open(mask) as opened:
            if opened.mode not in ('P', 'L'):
                return (
                    f'{mask} is an image of mode {opened.mode}, not of one '
                    'label a pixel: masks are 8-bit, with a palette '
                    'or grey.')
            if opened.size != size:
                return (f'{mask} has {_by(opened.size)} pixels, its image '
                        f'{_by(size)}: they belong to different sizes of '
                        'the photograph.')
            labels = set() if known is None else set(
                np.unique(np.asarray(opened)).tolist())
    except (OSError, SyntaxError, ValueError):
        return f'{mask} or {image} is not a whole image.'
    strange = sorted(labels - known) if known else []
    if known and strange:
        return (f'{mask} has the label {strange[0]}, which is none of the '
                f'{len(known) - 1} classes and not ignored: is it of another '
                'dataset?')
    return ''


def _by(size: Tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'
