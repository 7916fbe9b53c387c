# Copyright (c) gld_mm authors. All rights reserved.
"""Compare the classes of datasets, heads and teachers."""
from typing import Optional, Sequence

from mmengine.config import Config
from mmengine.dataset import BaseDataset

from gld_mm.errors import UserError

from .items import parts


def head_classes(cfg: Config) -> Optional[int]:
    """The number of classes of a model's heads, distilled or not.

    None if no head of the hosts' names has any, or if they do not agree.
    """
    model = cfg.get('model') or {}
    model = model.get('architecture') or model
    if {'language_model', 'text_encoder'} & set(model):
        return None  # The classes are told as a text.
    found = set()
    for name in ('head', 'bbox_head', 'decode_head'):
        heads = model.get(name) or ()
        for head in [heads] if isinstance(heads, dict) else heads:
            found.add(head.get('num_classes'))
    return found.pop() if len(found) == 1 else None


def differ(name: str, classes: Optional[Sequence[str]],
           num_classes: Optional[int]) -> bool:
    """Whether a dataset has another number of classes than a head."""
    if not classes or not num_classes:
        return False
    # mmpretrain's configs for ImageNet-21k have more outputs than classes.
    more = name.startswith('ImageNet') and num_classes > 20_000
    return len(classes) != num_classes and not more


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


def check_zero_label(train: BaseDataset, val: BaseDataset) -> None:
    """Raise an error if only one dataset reduces its labels by one."""
    ours, theirs = ({
        bool(getattr(part, 'reduce_zero_label', False))
        for part in parts(dataset)
    } for dataset in (train, val))
    if not ours & theirs:
        raise UserError('reduce_zero_label of the training set is '
                        f'{ours.pop()}, of the validation set {theirs.pop()}: '
                        'their labels differ by one. Set it alike in both.')
