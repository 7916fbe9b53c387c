# Copyright (c) gld_mm authors. All rights reserved.
"""Find what is wrong with annotations in COCO's format."""
import difflib
import json
import os
from typing import List, Optional, Sequence

from mmengine.dataset import BaseDataset

from gld_mm.errors import UserError

from .log import warn

# Larger files are COCO's own, and take long to read a second time.
_LARGEST = 100e6
_EMPTY = '{} has no annotations: there is nothing to learn or to measure.'


def check_coco(dataset: BaseDataset, evaluated: bool) -> Optional[List[str]]:
    """Check the annotations of a dataset that mmdet reads as COCO's.

    Args:
        dataset (BaseDataset): A built dataset; of another kind it passes.
        evaluated (bool): Whether COCO's metric reads the file.

    Returns:
        list[str], optional: Names of the classes by label, which mmdet counts
        in the file's order. None of a dataset of another kind or of a file of
        more than 100 MB.

    Raises:
        UserError: See :func:`read_coco`; or if there is no annotation, and the
            metric reads the file. Else images may be without on purpose.
    """
    # Of another kind are LVIS and panoptic datasets.
    if type(dataset).__name__ != 'CocoDataset' or not _is_small(
            dataset.ann_file):
        return None
    content = read_coco(dataset.ann_file, dataset.metainfo['classes'],
                        ('area', 'iscrowd') if evaluated else ('area', ))
    if not content.get('annotations'):
        line = _EMPTY.format(dataset.ann_file)
        if evaluated:
            raise UserError(line)
        warn(line)
    return [
        part['name'] for part in content['categories']
        if part['id'] in dataset.cat_ids
    ]


def check_coco_config(dataset: dict, kind: Optional[type]) -> None:
    """Check the annotations of a dataset that mmdet could not build.

    Raises:
        UserError: See :func:`read_coco`; or if there is no annotation.
    """
    if kind is None or kind.__name__ != 'CocoDataset':
        return
    path = os.path.join(
        dataset.get('data_root') or '',
        dataset.get('ann_file') or '')
    classes = (dataset.get('metainfo') or {}).get('classes')
    if classes is None:
        classes = getattr(kind, 'METAINFO')['classes']
    if _is_small(path) and not isinstance(classes, str):
        if not read_coco(path, classes, ('area', )).get('annotations'):
            raise UserError(_EMPTY.format(path))


def read_coco(path: str, classes: Sequence[str], keys: Sequence[str]) -> dict:
    """Read annotations in COCO's format.

    Args:
        path (str): The json file.
        classes (Sequence[str]): Names that have to be among its categories;
            mmdet leaves out the others and shifts the labels behind them.
        keys (Sequence[str]): What each annotation has to have.

    Raises:
        UserError: If a class is no category, or an annotation lacks a key.
    """
    with open(path, encoding='utf-8') as file:
        content = json.load(file)
    names = [part['name'] for part in content.get('categories', ())]
    for name in classes:
        if name not in names:
            nearest = _nearest(name, names)
            hint = f'is "{nearest}" meant?' if nearest else \
                f'they are {", ".join(names[:10])}: list them in ' \
                'metainfo=dict(classes=(...)) of each dataset.'
            raise UserError(f'{path}: the class "{name}" of metainfo.classes '
                            f'is none of its {len(names)} categories: {hint}')
    for part in content.get('annotations') or ():
        for key in keys:
            if key not in part:
                raise UserError(
                    f'{path}: annotation {part.get("id")} has no "{key}", '
                    'which COCO\'s format asks for: add '
                    f'{"the area of its box" if key == "area" else "0"}.')
    return content


def _is_small(path: str) -> bool:
    return os.path.isfile(path) and os.path.getsize(path) < _LARGEST


def _nearest(name: str, names: Sequence[str]) -> Optional[str]:
    """The most similar name, upper and lower case apart."""
    lower = {other.lower(): other for other in reversed(names)}
    found = difflib.get_close_matches(name.lower(), lower, n=1)
    return lower[found[0]] if found else None
