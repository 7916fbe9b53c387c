# Copyright (c) gld_mm authors. All rights reserved.
"""List what a built dataset holds."""
import os
import re
from functools import partial
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, TypeVar

from mmengine.dataset import BaseDataset

T = TypeVar('T')
_HOSTS = ('gld_mm', 'mmcv', 'mmdet', 'mmengine', 'mmpretrain', 'mmrazor',
          'mmseg', 'torchvision')


def is_own(part: Any) -> bool:
    """Whether a class or function is of the user's own, and not a host's."""
    return part.__module__.split('.')[0] not in _HOSTS


def parts(dataset: BaseDataset) -> List[BaseDataset]:
    """The datasets that a wrapper is made of, or the dataset itself."""
    inner = getattr(dataset, 'datasets',
                    None) or [getattr(dataset, 'dataset', None)]
    return [
        leaf for part in inner if _is_dataset(part) for leaf in parts(part)
    ] or [dataset]


def _is_dataset(part: Any) -> bool:
    # A class of the user's own may keep something else under that name.
    return hasattr(part, '__getitem__') and hasattr(part, '__len__')


def infos(dataset: BaseDataset) -> Iterator[dict]:
    """What a dataset knows of each image; nothing of a plain torch one."""
    if hasattr(dataset, 'get_data_info'):
        for index in range(len(dataset)):
            yield dataset.get_data_info(index)


def files(
    dataset: BaseDataset, keys: Sequence[str] = ('img_path', 'seg_map_path')
) -> Iterator[str]:
    """Paths of the images and masks that are read from the disk."""
    for part in parts(dataset):
        if reads_remotely(part):
            continue
        for info in infos(part):
            for key in keys:
                yield from local_paths(info.get(key))


def local_paths(value: Any) -> List[str]:
    """Paths on the disk, of none, one or several in an entry."""
    paths = value if isinstance(value, (list, tuple)) else [value]
    return [str(path) for path in paths if path and '://' not in str(path)]


def missing_files(dataset: BaseDataset) -> Iterator[str]:
    """Paths of listed files that do not exist; a folder is read once."""
    folders: Dict[str, Set[str]] = {}
    for path in files(dataset):
        folder, name = os.path.dirname(path) or '.', os.path.basename(path)
        if folder not in folders:
            folders[folder] = set(
                os.listdir(folder) if os.path.isdir(folder) else ())
        if name not in folders[folder]:
            yield path


def steps(dataset: BaseDataset) -> Sequence[Any]:
    """The transforms of a dataset's pipeline."""
    return getattr(getattr(dataset, 'pipeline', None), 'transforms', ())


def reads_remotely(dataset: BaseDataset) -> bool:
    """Whether a backend of mmengine other than the disk reads the files."""
    return any(map(is_remote, (dataset, *steps(dataset))))


def is_remote(reader: Any) -> bool:
    """Whether a dataset, a transform or a config of one reads remotely."""
    get: Any = reader.get if isinstance(reader, dict) else partial(
        getattr, reader)
    args = get('backend_args', None) or get('file_client_args', None) or {}
    return args.get('backend', 'local') not in ('local', 'disk')


def loaders(dataset: BaseDataset, of_images: bool) -> List[Any]:
    """The transforms that read images, or those that read annotations."""
    found = [x for x in steps(dataset) if type(x).__name__.startswith('Load')]
    other = re.compile('Annotation|Proposals')
    return [
        x for x in found if bool(other.search(type(x).__name__)) != of_images
    ]


def reads_pictures(dataset: BaseDataset) -> bool:
    """Whether images are plain pictures; other files Pillow may not read."""
    found = loaders(dataset, of_images=True)
    if not found:
        return not any(is_own(type(step)) for step in steps(dataset))
    return all(
        type(step).__name__ == 'LoadImageFromFile' and step.imdecode_backend !=
        'tifffile' and step.color_type in ('color', 'grayscale')
        for step in found)


def pick_evenly(items: Sequence[T], count: Optional[int]) -> List[T]:
    """Pick at most some items, evenly spread; None picks all."""
    if count is None or len(items) <= count:
        return list(items)
    return [items[i * len(items) // count] for i in range(count)]
