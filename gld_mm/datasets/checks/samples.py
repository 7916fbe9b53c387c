# Copyright (c) gld_mm authors. All rights reserved.
"""Find what is wrong with a dataset before training time is spent on it."""
from typing import Optional, Sequence

from mmengine.dataset import BaseDataset

from gld_mm.errors import UserError

from .boxes import check_boxes
from .classes import differ
from .coco import check_coco
from .items import missing_files, parts, reads_remotely
from .masks import check_masks


def check_samples(dataset: BaseDataset,
                  num_classes: Optional[int],
                  sample: Optional[int] = None,
                  evaluated: bool = False) -> Optional[Sequence[str]]:
    """Check classes, boxes and masks of a dataset, and that files are there.

    Args:
        dataset (BaseDataset): A built dataset.
        num_classes (int, optional): Classes of the head; None is unknown.
        sample (int, optional): How many XML files and masks are read.
            Defaults to None, all.
        evaluated (bool): Whether COCO's metric reads its annotations.
            Defaults to False.

    Returns:
        Sequence[str], optional: Names of its classes by label.

    Raises:
        UserError: If there are no images, the number of classes differs, a box
            or mask cannot be learnt or files are missing.
    """
    found = parts(dataset)
    names = [_check_part(part, num_classes, evaluated) for part in found]
    local = [part for part in found if not reads_remotely(part)]
    check_boxes(local, sample)
    check_masks(local, sample)
    return names[0]


def _check_part(dataset: BaseDataset, num_classes: Optional[int],
                evaluated: bool) -> Optional[Sequence[str]]:
    name = type(dataset).__name__
    if len(dataset) == 0:
        raise UserError(f'{name}: the list of images is empty.')
    classes = getattr(dataset, 'metainfo', {}).get('classes')
    if isinstance(classes, str):
        raise UserError(f'{name}: metainfo.classes is the text "{classes}", '
                        'and has to be a list of names: '
                        f"classes=('{classes}', ), with a comma.")
    classes = None if classes is None else list(classes)
    if classes and differ(name, classes, num_classes):
        raise UserError(f'{name} has {len(classes)} classes, the head '
                        f'{num_classes}: set num_classes of the head (and of '
                        'the teacher) in the config.')
    largest = _largest_label(dataset)
    if num_classes and largest is not None and largest >= num_classes:
        raise UserError(f'{name} has labels up to {largest}, the head '
                        f'{num_classes} classes: it is of another dataset, '
                        'or num_classes is wrong.')
    if reads_remotely(dataset):
        return classes
    missing = list(missing_files(dataset))
    if missing:
        raise UserError(
            f'{name}: {len(missing)} of {len(dataset)} images are listed but '
            f'missing, {missing[0]} the first: is the archive unpacked to its '
            'end? tools/check_data.py CONFIG lists them.')
    return check_coco(dataset, evaluated) or classes


def _largest_label(dataset: BaseDataset) -> Optional[int]:
    """None of a dataset without labels, or with several an image."""
    try:
        return int(dataset.get_gt_labels().max())
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
