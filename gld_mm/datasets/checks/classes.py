# Copyright (c) gld_mm authors. All rights reserved.
"""Compare the classes of datasets, heads and teachers."""
from typing import Optional, Sequence

from mmengine.dataset import BaseDataset

from gld_mm.errors import UserError

from .items import parts


def differ(name: str, classes: Optional[Sequence[str]],
           num_classes: Optional[int]) -> bool:
    """Whether a dataset has another number of classes than a head."""
    if not classes or not num_classes:
        return False
    # mmpretrain's configs for ImageNet-21k have more outputs than classes.
    more = name.startswith('ImageNet') and num_classes > 20_000
    binary = (len(classes), num_classes) == (2, 1)  # one score tells two apart
    return len(classes) != num_classes and not more and not binary


def describe_conflict(ours: Optional[Sequence[str]],
                      theirs: Optional[Sequence[str]], our_name: str,
                      their_name: str) -> str:
    """Say in one line which class of both has two labels, if one has."""
    labels = _labels(theirs)
    for name, label in _labels(ours).items():
        if labels.get(name, label) != label:
            order = 'the same classes in another order' if sorted(
                labels) == sorted(_labels(ours)) else 'other classes'
            return (f'{their_name} has {order}: "{name}" is label {label} of '
                    f'{our_name} and label {labels[name]} of {their_name}.')
    return ''


def _labels(names: Optional[Sequence[str]]) -> dict:
    """The first label of each name; ImageNet has two names twice."""
    found: dict = {}
    for label, name in enumerate(names or ()):
        found.setdefault(name, label)
    return found


def check_agreement(train: BaseDataset, val: BaseDataset,
                    ours: Optional[Sequence[str]],
                    theirs: Optional[Sequence[str]]) -> None:
    """Check that a label means the same in training and validation.

    Args:
        train (BaseDataset): The training set.
        val (BaseDataset): The validation set.
        ours (Sequence[str], optional): Classes of the training set.
        theirs (Sequence[str], optional): Classes of the validation set.

    Raises:
        UserError: If classes conflict, or only one dataset reduces its labels
            by one.
    """
    conflict = describe_conflict(ours, theirs, 'the training set',
                                 'the validation set')
    if conflict:
        raise UserError(f'{conflict} Give both the same list of classes '
                        '(metainfo.classes, or folders of the same names).')
    reduced, others = ({
        bool(getattr(part, 'reduce_zero_label', False))
        for part in parts(dataset)
    } for dataset in (train, val))
    if not reduced & others:
        raise UserError('reduce_zero_label of the training set is '
                        f'{reduced.pop()}, of the validation set '
                        f'{others.pop()}: their labels differ by one. Set it '
                        'alike in both.')
