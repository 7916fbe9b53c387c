# Copyright (c) gld_mm authors. All rights reserved.
"""Build a dataset, or say in one line what is wrong with its files."""
import os.path as osp
from inspect import signature
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple
from urllib.error import URLError

from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from gld_mm.config.read import leaf_datasets, type_name
from gld_mm.errors import UserError

from .coco import check_coco_config
from .items import is_own, is_remote

# What has to be below data_root for a split. Several lists are several ways to
# lay the same dataset out.
LAYOUTS: Dict[str, List[Tuple[str, ...]]] = {
    'CINIC10': [('{split}', )],
    'ImageNet': [('{split}', )],
    'Flowers102': [('imagelabels.mat', 'setid.mat', 'jpg')],
    'StanfordCars': [('devkit/cars_{split}_{annos}.mat', 'cars_{split}'),
                     ('cars_annos.mat', 'car_ims')],
    'StanfordDogs': [('train_list.mat', 'test_list.mat', 'Images')],
    'CUB': [('images.txt', 'image_class_labels.txt', 'train_test_split.txt',
             'images')],
}


def build_dataset(dataset: dict) -> BaseDataset:
    """Build a dataset, with its annotations.

    Raises:
        UserError: If the layout is wrong, or the annotations of a dataset of
            the hosts cannot be read. What a class of the user's own raises is
            left alone.
    """
    check_layout(dataset)
    where = f'{type_name(dataset)} in {dataset.get("data_root")}'
    try:
        built = DATASETS.build(dataset)
        if hasattr(built, 'full_init'):
            built.full_init()
    except URLError as error:
        raise UserError(
            f'{type_name(dataset)} is not in {dataset.get("data_root")}, or '
            'has another checksum there, and the download failed: '
            f'{error.reason}. Put it there (docs/data.md)') from error
    except Exception as error:
        parts = leaf_datasets(dataset)
        kinds = [class_of(part) for part in parts]
        if any(kind and is_own(kind) for kind in kinds):
            raise
        for part, kind in zip(parts, kinds):
            check_coco_config(part, kind)
        if isinstance(error, ValueError) and any(map(_is_empty, parts)):
            raise UserError(
                f'{where}: no image is found. Check data_prefix and ann_file, '
                'and img_suffix for segmentation.') from error
        raise UserError(f'{where} cannot be read: '
                        f'{error or type(error).__name__}') from error
    return built


def check_layout(dataset: dict) -> None:
    """Look for the files and folders that a config names or a class needs.

    A dataset whose layout is not known, that is not on the disk, or that
    downloads itself passes.

    Raises:
        UserError: If something is missing, or a list is empty.
    """
    for part in leaf_datasets(dataset):
        _check_layout(part)


def _check_layout(dataset: dict) -> None:
    name, root = type_name(dataset), dataset.get('data_root') or ''
    named = _named_paths(dataset)
    layouts = [named] if named else _known_layouts(dataset)
    readers = (dataset, *(dataset.get('pipeline') or ()))
    remote = any('://' in path for path in (root, *named)) or any(
        is_remote(reader) for reader in readers if isinstance(reader, dict))
    if remote or not layouts or _setting(dataset, 'download'):
        return
    for path in named:
        if Path(root, path).is_file() and not Path(root, path).stat().st_size:
            raise UserError(f'{name}: {Path(root, path)} is empty.')
    missing = [[path for path in layout if not Path(root, path).exists()]
               for layout in layouts]
    if all(missing):
        expected = ' or '.join(', '.join(layout) for layout in layouts)
        closest = min(missing, key=len)
        raise UserError(
            f'{name}: {Path(root, closest[0])} is missing. Expected below '
            f'{Path(root)}: {expected} (docs/data.md)')


def _known_layouts(dataset: dict) -> List[Tuple[str, ...]]:
    """What the class of a dataset looks for."""
    split = _setting(dataset, 'split') or ''
    annos = 'annos_withlabels' if split == 'test' else 'annos'
    return [
        tuple(path.format(split=split, annos=annos) for path in layout)
        for layout in LAYOUTS.get(type_name(dataset), ())
    ]


def _setting(dataset: dict, name: str) -> Any:
    """A setting, or what the class takes by default."""
    kind = class_of(dataset)
    known = signature(kind).parameters if kind is not None else {}
    return dataset.get(name, known[name].default if name in known else None)


def _named_paths(dataset: dict) -> Tuple[str, ...]:
    """What a config itself names, in the hosts' two settings for it."""
    join = getattr(class_of(dataset), '_join_prefix', None)
    if join is None or is_own(join):
        return ()  # A class of the user's own may look elsewhere.
    prefix = dataset.get('data_prefix') or {}
    prefix = prefix if isinstance(prefix, dict) else dict(img_path=prefix)
    named = [dataset.get('ann_file'), *prefix.values()]
    if 'sub_data_root' in prefix:  # VOC's detection
        named += [
            osp.join(prefix['sub_data_root'], dataset.get(key, folder))
            for key, folder in (('ann_subdir', 'Annotations'), ('img_subdir',
                                                                'JPEGImages'))
        ]
    return tuple(
        osp.expanduser(name) for name in named
        if name and isinstance(name, str))


def _is_empty(dataset: dict) -> bool:
    """Whether no image is found, which mmengine cannot serialize."""
    try:
        return not len(DATASETS.build(dict(dataset, serialize_data=False)))
    except Exception:
        return False


def class_of(dataset: dict) -> Optional[type]:
    """The class of a dataset; None is unknown to the host."""
    kind = dataset['type']
    if not isinstance(kind, str):
        return kind
    with DATASETS.switch_scope_and_registry(None) as registry:  # the host's
        return registry.get(kind)
