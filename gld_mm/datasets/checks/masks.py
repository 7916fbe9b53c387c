# Copyright (c) gld_mm authors. All rights reserved.
"""Find masks that a segmentation network cannot learn from."""
from typing import Iterator, Optional, Set, Tuple

import numpy as np
from mmengine.dataset import BaseDataset
from PIL import Image

from gld_mm.errors import UserError

from .items import infos, pick_evenly

_STOCK_LOADERS = {'LoadImageFromFile', 'LoadAnnotations'}


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
    names = dataset.metainfo.get('classes')
    if not names:
        raise UserError(f'{type(dataset).__name__} names no classes: set '
                        'metainfo=dict(classes=(...)) of each dataset.')
    known = known_labels(dataset)
    ignored = getattr(dataset, 'ignore_index', 255)
    for count in (sample, None):
        values = set().union(*(read_labels(*pair, known)
                               for pair in pick_evenly(pairs, count)))
        classes = _classes(dataset, values)
        if ignored not in classes or len(classes) > 2 or len(names) == 1:
            return classes - {ignored}
    raise UserError(
        f'{type(dataset).__name__}: its {len(pairs)} masks have the values '
        f'{", ".join(map(str, sorted(values)))} and no other, and {ignored} '
        'is ignored: the one class '
        f'{min(classes - {ignored}, default="")} is all that can be learnt. '
        f'Write the label of the other class where it is {ignored}.')


def _classes(dataset: BaseDataset, labels: Set[int]) -> Set[int]:
    """What mmseg makes of the values of masks."""
    mapped = getattr(dataset, 'label_map', None) or {}
    labels = {mapped.get(label, label) for label in labels}
    if getattr(dataset, 'reduce_zero_label', False):
        labels = {255 if label in (0, 255) else label - 1 for label in labels}
    return labels


def masks(dataset: BaseDataset) -> Iterator[Tuple[str, str]]:
    """Paths of each image and its mask in a dataset not made of others.

    What other loaders than the stock ones read may be no image for Pillow.
    """
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    loaders = {type(step).__name__ for step in steps}
    if any(x.startswith('Load') for x in loaders - _STOCK_LOADERS):
        return
    for info in infos(dataset):
        if info.get('seg_map_path') and '://' not in info['img_path']:
            yield info['img_path'], info['seg_map_path']


def known_labels(dataset: BaseDataset) -> Set[int]:
    """What masks may hold: labels before they are mapped, and ignored."""
    # With a map, the labels are those of all classes that the dataset knows.
    metainfo = dataset.METAINFO if getattr(dataset, 'label_map',
                                           None) else dataset.metainfo
    count = len(metainfo.get('classes', ()))
    count += bool(getattr(dataset, 'reduce_zero_label', False))
    return {*range(count), getattr(dataset, 'ignore_index', 255)}


def read_labels(image: str, mask: str, known: Set[int]) -> Set[int]:
    """Read the values of a mask.

    Raises:
        UserError: If it is no mask of that image, or has unknown values.
    """
    try:
        with Image.open(image) as opened:
            size = opened.size
        with Image.open(mask) as opened:
            mode, mask_size = opened.mode, opened.size
            values = np.unique(np.asarray(opened)).tolist()
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise UserError(f'{mask} or {image} is not a whole image.') from error
    if mode not in ('1', 'L', 'P', 'I', 'I;16'):
        raise UserError(f'{mask} is an image of mode {mode}, not of one label '
                        'a pixel: masks are grey or have a palette.')
    if mask_size != size:
        raise UserError(
            '{} has {}x{} pixels, its image {}x{}: they should have the same '
            'size.'.format(mask, *mask_size, *size))
    strange = sorted(set(values) - known)
    if strange:
        raise UserError(
            f'{mask} has the label {strange[0]}, which is none of the '
            f'{len(known) - 1} classes and not ignored: is it of another '
            'dataset?')
    return set(values)
