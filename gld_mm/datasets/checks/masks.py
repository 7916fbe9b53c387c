# Copyright (c) gld_mm authors. All rights reserved.
"""Find masks that a segmentation network cannot learn from."""
from typing import Iterable, Iterator, Optional, Set, Tuple

import numpy as np
from mmengine.dataset import BaseDataset
from PIL import Image

from gld_mm.errors import UserError

from .sample import pick_evenly


def check_masks(dataset: BaseDataset,
                sample: Optional[int] = None) -> Set[int]:
    """Check kind, size and labels of masks.

    Args:
        dataset (BaseDataset): A built dataset, not made of others; one without
            masks passes.
        sample (int, optional): How many masks are read. Defaults to None, all.

    Returns:
        set[int]: Classes that were seen.

    Raises:
        UserError: If the dataset names no classes; if a mask is not one of
            labels, of another size than its image, or has a label that is no
            class; or if all masks have a single class and what is ignored,
            while the dataset has more.
    """
    pairs = list(masks(dataset))
    if not pairs:
        return set()
    if not dataset.metainfo.get('classes'):
        raise UserError(f'{type(dataset).__name__} names no classes: set '
                        'metainfo=dict(classes=(...)) of each dataset.')
    known = known_labels(dataset)
    seen = _seen(pick_evenly(pairs, sample), known)
    ignored = getattr(dataset, 'ignore_index', 255)
    if not _is_one_class(dataset, seen, ignored):
        return _classes(dataset, seen) - {ignored}
    seen = _seen(pairs, known)
    classes = _classes(dataset, seen) - {ignored}
    if _is_one_class(dataset, seen, ignored):
        raise UserError(
            f'{type(dataset).__name__}: its {len(pairs)} masks have the '
            f'values {", ".join(map(str, sorted(seen)))} and no other, and '
            f'{ignored} is ignored: the one class {min(classes, default="")} '
            'is all that can be learnt. Write the label of the other class '
            f'where it is {ignored}.')
    return classes


def _seen(pairs: Iterable[Tuple[str, str]], known: Set[int]) -> Set[int]:
    return set().union(*(read_labels(*pair, known) for pair in pairs))


def _is_one_class(dataset: BaseDataset, seen: Set[int], ignored: int) -> bool:
    """Whether all that is seen is one class and ignored pixels."""
    classes = _classes(dataset, seen)
    return (ignored in classes and len(classes) <= 2
            and len(dataset.metainfo.get('classes', ())) > 1)


def _classes(dataset: BaseDataset, labels: Set[int]) -> Set[int]:
    """What mmseg makes of the values of masks."""
    mapped = getattr(dataset, 'label_map', None) or {}
    labels = {mapped.get(label, label) for label in labels}
    if getattr(dataset, 'reduce_zero_label', False):
        labels = {255 if label in (0, 255) else label - 1 for label in labels}
    return labels


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
            if info.get('seg_map_path') and '://' not in info['img_path']:
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


def read_labels(image: str, mask: str, known: Set[int]) -> Set[int]:
    """Read the values of a mask.

    Args:
        image (str): Path of the image.
        mask (str): Path of its mask.
        known (set[int]): Values that it may have.

    Returns:
        set[int]: Those that it has.

    Raises:
        UserError: If it is no mask of that image.
    """
    try:
        with Image.open(image) as opened:
            size = opened.size
        with Image.open(mask) as opened:
            mode, mask_size = opened.mode, opened.size
            values = np.unique(np.asarray(opened)).tolist()
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f'{mask} or {image} is not a whole image.') from error
    if mode not in ('P', 'L'):
        raise UserError(f'{mask} is an image of mode {mode}, not of one label '
                        'a pixel: masks are 8-bit, with a palette or grey.')
    if mask_size != size:
        raise UserError(
            f'{mask} has {_by(mask_size)} pixels, its image {_by(size)}: they '
            'belong to different sizes of the photograph.')
    strange = sorted(set(values) - known)
    if strange:
        raise UserError(
            f'{mask} has the label {strange[0]}, which is none of the '
            f'{len(known) - 1} classes and not ignored: is it of another '
            'dataset?')
    return set(values)


def _by(size: Tuple[int, int]) -> str:
    return f'{size[0]}x{size[1]}'
