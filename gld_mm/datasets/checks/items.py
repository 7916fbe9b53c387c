# Copyright (c) gld_mm authors. All rights reserved.
"""List what a built dataset holds."""
import os
from typing import Dict, Iterator, List, Optional, Sequence, Set, TypeVar

from mmengine.dataset import BaseDataset

T = TypeVar('T')


def parts(dataset: BaseDataset) -> List[BaseDataset]:
    """The datasets that a wrapper is made of, or the dataset itself."""
    inner = getattr(dataset, 'datasets', None)
    if inner is None and hasattr(dataset, 'dataset'):
        inner = [dataset.dataset]
    if inner is None:
        return [dataset]
    return [leaf for part in inner for leaf in parts(part)]


def infos(dataset: BaseDataset) -> Iterator[dict]:
    """What a dataset knows of each image; nothing of a plain torch one."""
    if hasattr(dataset, 'get_data_info'):
        for index in range(len(dataset)):
            yield dataset.get_data_info(index)


def files(dataset: BaseDataset) -> Iterator[str]:
    """Paths of the images and masks that are read from the disk."""
    for part in parts(dataset):
        if reads_remotely(part):
            continue
        for info in infos(part):
            for key in ('img_path', 'seg_map_path'):
                if info.get(key) and '://' not in info[key]:
                    yield info[key]


def missing_files(dataset: BaseDataset) -> Iterator[str]:
    """Paths of listed files that do not exist; a folder is read once."""
    folders: Dict[str, Set[str]] = {}
    for path in files(dataset):
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = set(
                os.listdir(folder) if os.path.isdir(folder) else ())
        if name not in folders[folder]:
            yield path


def reads_remotely(dataset: BaseDataset) -> bool:
    """Whether a backend of mmengine other than the disk reads the files."""
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return any(
        getattr(part, 'backend_args', None)
        or getattr(part, 'file_client_args', None)
        for part in (dataset, *steps))


def pick_evenly(items: Sequence[T], count: Optional[int]) -> List[T]:
    """Pick at most some items, evenly spread; None picks all."""
    if count is None or len(items) <= count:
        return list(items)
    return [items[i * len(items) // count] for i in range(count)]
