# Copyright (c) gld_mm authors. All rights reserved.
"""Find what is wrong with a dataset before training time is spent on it."""
import logging
import os
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple
from urllib.error import URLError

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.registry import DATASETS
from PIL import Image

from gld_mm.errors import UserError

from .boxes import check_boxes
from .coco import check_coco, check_coco_config
from .masks import check_masks

# What has to be below data_root for a split. Several lists are several ways to
# lay the same dataset out.
LAYOUTS: Dict[str, List[Tuple[str, ...]]] = {
    'CINIC10': [('{split}', )],
    'ImageNet': [('{split}', )],
    'Flowers102': [('imagelabels.mat', 'setid.mat', 'jpg')],
    'StanfordCars':
    [('devkit/cars_train_annos.mat', 'devkit/cars_test_annos_withlabels.mat',
      'cars_train', 'cars_test'), ('cars_annos.mat', 'car_ims')],
    'StanfordDogs': [('train_list.mat', 'test_list.mat', 'Images')],
    'CUB': [('images.txt', 'image_class_labels.txt', 'train_test_split.txt',
             'images')],
}
_PATHS = ('img_path', 'seg_map_path')
# Whose datasets are no code of the user's
_HOSTS = ('gld_mm', 'mmengine', 'mmpretrain', 'mmdet', 'mmseg')


def dataset_cfgs(cfg: Config) -> Dict[str, dict]:
    """List the datasets of a config.

    Args:
        cfg (Config): Config of a training or test.

    Returns:
        dict[str, dict]: Dataset configs by 'train', 'val' and 'test', those
        that repeat another left out.
    """
    found: Dict[str, dict] = {}
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader and loader['dataset'] not in found.values():
            found[split] = loader['dataset']
    return found


def check_layout(dataset: dict) -> None:
    """Look for the files and folders that a stock dataset starts from.

    Args:
        dataset (dict): Config of a dataset, which may be made of others; one
            whose layout is not known, or that is not on the disk, passes.

    Raises:
        UserError: If something is missing, or a list is empty.
    """
    for inner in _inner(dataset):
        check_layout(inner)
    named = _named_paths(dataset)
    layouts = [named] if named else LAYOUTS.get(_name(dataset))
    root = dataset.get('data_root') or ''
    if layouts is None or _is_remote(dataset, root, *named):
        return
    layouts = [
        tuple(n.format(split=dataset.get('split', 'train')) for n in names)
        for names in layouts
    ]
    for name in named:
        path = Path(root, name)
        if path.is_file() and not path.stat().st_size:
            raise UserError(f'{_name(dataset)}: {path} is empty.')
    missing = [[name for name in layout if not Path(root, name).exists()]
               for layout in layouts]
    if all(missing):
        expected = ' or '.join(', '.join(layout) for layout in layouts)
        closest = min(missing, key=len)
        raise UserError(
            f'{_name(dataset)}: {Path(root, closest[0])} is missing. Expected '
            f'below {Path(root)}: {expected} (docs/data.md)')


def _inner(dataset: dict) -> List[dict]:
    """The datasets that a dataset is made of."""
    inner = dataset.get('datasets') or [dataset.get('dataset')]
    return [part for part in inner if isinstance(part, dict)]


def _name(dataset: dict) -> str:
    kind = dataset.get('type')
    return getattr(kind, '__name__', str(kind)).split('.')[-1]


def _is_remote(dataset: dict, *paths: str) -> bool:
    """Whether a backend of mmengine other than the disk reads a dataset."""
    pipeline = dataset.get('pipeline') or ()
    return any('://' in path for path in paths) or any(
        part.get('backend_args') or part.get('file_client_args')
        for part in (dataset, *pipeline) if isinstance(part, dict))


def _named_paths(dataset: dict) -> Tuple[str, ...]:
    """What a config itself names, in the hosts' two settings for it."""
    prefix = dataset.get('data_prefix') or {}
    named = [dataset.get('ann_file')]
    named += prefix.values() if isinstance(prefix, dict) else [prefix]
    if 'sub_data_root' in prefix:  # VOC's detection
        named += [
            f'{prefix["sub_data_root"]}{folder}'
            for folder in ('Annotations', 'JPEGImages')
        ]
    return tuple(name for name in named if name)


def build_dataset(dataset: dict) -> BaseDataset:
    """Build a dataset, with its annotations.

    Args:
        dataset (dict): Its config.

    Returns:
        BaseDataset: The dataset.

    Raises:
        UserError: If the layout is wrong, or the annotations of a dataset of
            the hosts cannot be read. What a class of the user's own raises is
            left alone.
    """
    check_layout(dataset)
    try:
        built = DATASETS.build(dataset)
        if hasattr(built, 'full_init'):
            built.full_init()
    except URLError as error:
        raise UserError(
            f'{_name(dataset)} is not in {dataset.get("data_root")}, or has '
            f'another checksum there, and the download failed: {error.reason}.'
            ' Put it there (docs/data.md)') from error
    except Exception as error:
        if not _is_of_hosts(dataset):
            raise
        for leaf in _leaves(dataset):
            check_coco_config(leaf, _class_of(leaf))
        raise UserError(
            f'{_name(dataset)} in {dataset.get("data_root")} '
            f'cannot be read: {error or type(error).__name__}') from error
    return built


def _leaves(dataset: dict) -> List[dict]:
    inner = _inner(dataset)
    return [leaf for part in inner for leaf in _leaves(part)] or [dataset]


def _class_of(dataset: dict) -> Optional[type]:
    kind = dataset['type']
    if not isinstance(kind, str):
        return kind
    with DATASETS.switch_scope_and_registry(None) as registry:  # the host's
        return registry.get(kind)


def _is_of_hosts(dataset: dict) -> bool:
    """Whether no class of the user's own is involved."""
    classes = filter(None, map(_class_of, _leaves(dataset)))
    return all(c.__module__.split('.')[0] in _HOSTS for c in classes)


def check_samples(dataset: BaseDataset,
                  num_classes: Optional[int],
                  sample: Optional[int] = None,
                  evaluated: bool = False) -> Optional[Sequence[str]]:
    """Check classes, boxes and masks of a dataset, and that files are there.

    Args:
        dataset (BaseDataset): A built dataset.
        num_classes (int, optional): Classes of the model's head; None is not
            compared.
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
    names = [
        _check_part(part, num_classes, sample, evaluated)
        for part in parts(dataset)
    ]
    return names[0]


def parts(dataset: BaseDataset) -> List[BaseDataset]:
    """The datasets that a wrapper of mmengine is made of.

    Args:
        dataset (BaseDataset): A built dataset.

    Returns:
        list[BaseDataset]: The dataset itself if it is no wrapper.
    """
    inner = getattr(dataset, 'datasets', None)
    if inner is None and hasattr(dataset, 'dataset'):
        inner = [dataset.dataset]
    if inner is None:
        return [dataset]
    return [leaf for part in inner for leaf in parts(part)]


def _check_part(dataset: BaseDataset, num_classes: Optional[int],
                sample: Optional[int],
                evaluated: bool) -> Optional[Sequence[str]]:
    name = type(dataset).__name__
    if len(dataset) == 0:
        raise UserError(f'{name}: the list of images is empty.')
    classes = getattr(dataset, 'metainfo', {}).get('classes')
    if classes and differ(name, classes, num_classes):
        raise UserError(f'{name} has {len(classes)} classes, the head '
                        f'{num_classes}: set num_classes of the head (and of '
                        'the teacher) in the config.')
    largest = _largest_label(dataset)
    if num_classes and largest is not None and largest >= num_classes:
        raise UserError(f'{name} has labels up to {largest}, the head '
                        f'{num_classes} classes: it is of another dataset, '
                        'or num_classes is wrong.')
    if _reads_remotely(dataset):
        return classes
    check_boxes(dataset, sample)
    missing = list(missing_files(dataset))
    if missing:
        raise UserError(
            f'{name}: {len(missing)} of {len(dataset)} images are listed but '
            f'missing, {missing[0]} the first: is the archive unpacked to its '
            'end? tools/check_data.py CONFIG lists them.')
    seen = check_masks(dataset, sample)
    unseen = [name for i, name in enumerate(classes or ()) if i not in seen]
    if classes and seen and unseen:
        print_log(
            f'{name}: {len(unseen)} of {len(classes)} classes are in none of '
            f'the masks that were looked at, such as {unseen[0]}.',
            logger='current',
            level=logging.WARNING)
    return check_coco(dataset, evaluated) or classes


def differ(name: str, classes: Optional[Sequence[str]],
           num_classes: Optional[int]) -> bool:
    """Whether a dataset and a head have different numbers of classes.

    Args:
        name (str): Name of the dataset's class.
        classes (Sequence[str], optional): Names of its classes.
        num_classes (int, optional): Classes of the head.

    Returns:
        bool: False if one of them is not known.
    """
    if not classes or not num_classes:
        return False
    # mmpretrain's configs for ImageNet-21k have more outputs than classes.
    more = name.startswith('ImageNet') and num_classes > 20_000
    return len(classes) != num_classes and not more


def _largest_label(dataset: BaseDataset) -> Optional[int]:
    """None of a dataset without labels, or with several an image."""
    try:
        return int(dataset.get_gt_labels().max())
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def missing_files(dataset: BaseDataset) -> Iterator[str]:
    """Find listed files that do not exist; a folder is read once.

    Args:
        dataset (BaseDataset): A built dataset.

    Yields:
        str: Paths.
    """
    folders: Dict[str, Set[str]] = {}
    for path in files(dataset):
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = set(
                os.listdir(folder) if os.path.isdir(folder) else ())
        if name not in folders[folder]:
            yield path


def files(dataset: BaseDataset) -> Iterator[str]:
    """List the images and masks of a dataset.

    Args:
        dataset (BaseDataset): A built dataset; one that holds its images, or
            reads them from elsewhere than the disk, has none.

    Yields:
        str: Paths.
    """
    for part in parts(dataset):
        if not hasattr(part, 'get_data_info') or _reads_remotely(part):
            continue
        for index in range(len(part)):
            info = part.get_data_info(index)
            for key in _PATHS:
                if info.get(key) and '://' not in info[key]:
                    yield info[key]


def _reads_remotely(dataset: BaseDataset) -> bool:
    """Whether a backend of mmengine other than the disk reads the files."""
    steps = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return any(
        getattr(part, 'backend_args', None)
        or getattr(part, 'file_client_args', None)
        for part in (dataset, *steps))


def is_readable(path: str) -> bool:
    """Decode an image to its end.

    Args:
        path (str): The file.

    Returns:
        bool: Whether it is a whole image.
    """
    # OpenCV fills what a cut-off JPEG lacks with grey; Pillow does not.
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def head_classes(cfg: Config) -> Optional[int]:
    """The number of classes of a model's heads.

    Args:
        cfg (Config): Config with a model, distilled or not.

    Returns:
        int, optional: None if no head of the hosts' names has any, or if they
        do not agree.
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
