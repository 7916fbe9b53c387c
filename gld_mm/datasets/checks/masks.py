# Copyright (c) gld_mm authors. All rights reserved.
"""Find masks that a segmentation network cannot learn from."""
from typing import Iterator, List, Optional, Set, Tuple

import numpy as np
from mmengine.dataset import BaseDataset
from PIL import Image

from gld_mm.errors import UserError

from .items import (infos, is_own, loaders, local_paths, pick_evenly,
                    reads_pictures, steps)
from .log import warn

_ORIENTATION = 0x0112  # of EXIF


def check_masks(datasets: List[BaseDataset],
                sample: Optional[int] = None) -> None:
    """Check kind, size and labels of masks.

    Args:
        datasets (list[BaseDataset]): The built parts of a dataset; those
            without masks pass.
        sample (int, optional): How many masks of each are read.
            Defaults to None, all.

    Raises:
        UserError: If a dataset names no classes; if a mask is not one of
            labels, of another size than its image, or has a label that is no
            class; or if all masks have a single class and what is ignored,
            while the dataset has more.
    """
    datasets = [part for part in datasets if any(masks(part))]
    if not datasets:
        return
    for part in datasets:
        if not part.metainfo.get('classes'):
            raise UserError(f'{type(part).__name__} names no classes: set '
                            'metainfo=dict(classes=(...)) of each dataset.')
    first = datasets[0]
    seen = set().union(*_labels(datasets, sample))
    _check_variety(datasets, seen, first.ignore_index)
    names = first.metainfo['classes']
    unseen = [name for label, name in enumerate(names) if label not in seen]
    if unseen:
        warn(f'{type(first).__name__}: {len(unseen)} of {len(names)} classes '
             'are in none of the masks that were looked at, such as '
             f'{unseen[0]}.')


def _labels(datasets: List[BaseDataset],
            sample: Optional[int]) -> Iterator[Set[int]]:
    """What mmseg makes of each mask."""
    for part in datasets:
        known = known_labels(part)
        mapped = part.label_map or {}
        for pair in pick_evenly(list(masks(part)), sample):
            labels = read_labels(*pair, known)
            if part.reduce_zero_label:
                labels = {255 if x in (0, 255) else x - 1 for x in labels}
            yield {mapped.get(x, x) for x in labels}


def _check_variety(datasets: List[BaseDataset], seen: Set[int],
                   ignored: int) -> None:
    """Refuse masks of one class and what is ignored."""
    several = len(datasets[0].metainfo['classes']) > 1
    if not several or ignored not in seen or len(seen) > 2:
        return
    for labels in _labels(datasets, None):
        seen = seen | labels
        if len(seen) > 2:
            return
    count = sum(len(list(masks(part))) for part in datasets)
    raise UserError(
        f'{type(datasets[0]).__name__}: its {count} masks have the labels '
        f'{", ".join(map(str, sorted(seen)))} and no other, and {ignored} '
        'is ignored: the one class '
        f'{min(seen - {ignored}, default="")} is all that can be learnt. '
        f'Write the label of the other class where it is {ignored}.')


def masks(dataset: BaseDataset) -> Iterator[Tuple[str, str]]:
    """Paths of each image and its mask in a dataset of mmseg.

    What other loaders than the stock ones read may be no image for Pillow, and
    what a transform of the user's own makes of the labels is not known.
    """
    unusual = any(is_own(type(step)) for step in steps(dataset)) or any(
        type(step).__name__ != 'LoadAnnotations'
        for step in loaders(dataset, of_images=False))
    if not hasattr(dataset, 'reduce_zero_label') or unusual or \
            not reads_pictures(dataset):
        return
    for info in infos(dataset):
        yield from zip(
            local_paths(info.get('img_path')),
            local_paths(info.get('seg_map_path')))


def known_labels(dataset: BaseDataset) -> Set[int]:
    """What masks may hold: labels before they are mapped, and ignored."""
    # With a map, the labels are those of all classes that the dataset knows.
    metainfo = dataset.METAINFO if dataset.label_map else dataset.metainfo
    count = len(metainfo.get('classes', ())) + bool(dataset.reduce_zero_label)
    return {*range(count), dataset.ignore_index}


def read_labels(image: str, mask: str, known: Set[int]) -> Set[int]:
    """Read the values of a mask.

    Raises:
        UserError: If it is no mask of that image, or has unknown values.
    """
    try:
        with Image.open(image) as opened:
            size = opened.size
            # 5 to 8 are turned by a quarter, which mmcv undoes.
            if opened.getexif().get(_ORIENTATION, 1) > 4:
                size = size[::-1]
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
            f'{len(known) - 1} labels and not ignored: is it of another '
            'dataset?')
    return set(values)
