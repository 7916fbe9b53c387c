# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Sequence, Union

import torch
from mmengine.model import BaseModel
from torch import nn

from gld_mm.errors import UserError


@torch.no_grad()
def select_classes(network: BaseModel, classes: Sequence[Union[int,
                                                               str]]) -> None:
    """Keep some classes of a network, in another order, in place.

    The rows of its classifiers are permuted, so logits, losses and
    predictions have the new classes.

    Args:
        network (BaseModel): A network of mmpretrain or mmseg.
        classes (Sequence[int | str]): For each new class the label that it had
            in the network, or its name there, which needs the names that
            mmengine saves with a checkpoint.

    Raises:
        UserError: If the network has no such class, or no head whose
            classifiers are known.
    """
    head = getattr(network, 'head', getattr(network, 'decode_head', network))
    if isinstance(head, nn.ModuleList):
        head = head[-1]  # of a cascade, which predicts by the last
    count = getattr(head, 'num_classes', 0)
    layers = [
        layer for layer in head.modules()
        if isinstance(layer, (nn.Linear,
                              nn.Conv2d)) and len(layer.weight) == count
    ]
    if not layers:
        raise UserError(
            f'teacher_classes: the head of {type(network).__name__} has no '
            'classifier whose outputs are its classes. Train the teacher on '
            'the list of classes of the student.')
    if len(layers) > 1 and any(x.weight.shape[1] == count for x in layers):
        raise UserError(
            f'teacher_classes: the head of {type(network).__name__} has a '
            f'hidden layer of {count} outputs, as many as it has classes, '
            'which may be taken for its classifier. Train the teacher on the '
            'list of classes of the student.')
    meta = getattr(network, 'dataset_meta', None) or {}
    names = list(meta.get('classes') or ())
    labels = [_label(wanted, names, count) for wanted in classes]
    for layer in layers:
        layer.weight = nn.Parameter(layer.weight[labels], False)
        if layer.bias is not None:
            layer.bias = nn.Parameter(layer.bias[labels], False)
    # mmseg's networks repeat what their head says.
    for owner in (head, network):
        for name in ('num_classes', 'out_channels'):
            if getattr(owner, name, None) == count:
                setattr(owner, name, len(labels))
    if names:
        network.dataset_meta = dict(
            meta, classes=[names[label] for label in labels])


def _label(wanted: Union[int, str], names: List[str], count: int) -> int:
    label = names.index(wanted) if wanted in names else wanted
    if not isinstance(label, int) or not 0 <= label < count:
        known = f': {", ".join(names[:5])}, ...' if names else \
            ', and its checkpoint names none.'
        raise UserError(f'teacher_classes: the teacher has no class '
                        f'{wanted!r}; it has {count} classes{known}')
    return label
