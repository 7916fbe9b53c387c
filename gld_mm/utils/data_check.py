# Copyright (c) gld_mm authors. All rights reserved.
"""Find what is wrong with a dataset before training time is spent on it."""
import os
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set, Tuple
from urllib.error import URLError

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS
from PIL import Image

from .box_check import check_boxes
from .mask_check import check_masks
from .user_error import UserError

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
            whose layout is not known passes.

    Raises:
        UserError: If something is missing, or a list is empty.
    """
    for inner in dataset.get('datasets', [dataset.get('dataset')]):
        if inner:
            check_layout(inner)
    layouts = LAYOUTS.get(str(dataset.get('type')).split('.')[-1])
    root = Path(dataset.get('data_root') or '.')
    if '://' in str(dataset.get('data_root')):
        return
    named = _named_paths(dataset)
    if named:
        layouts = [named]
    if layouts is None:
        return
    layouts = [
        tuple(n.format(split=dataset.get('split', 'train')) for n in names)
        for names in layouts
    ]
    for name in named:
        if (root / name).is_file() and not (root / name).stat().st_size:
            raise UserError(f'{dataset["type"]}: {root / name} is empty.')
    missing = [[name for name in layout if not (root / name).exists()]
               for layout in layouts]
    if all(missing):
        expected = ' or '.join(', '.join(layout) for layout in layouts)
        closest = min(missing, key=len)
        raise UserError(
            f'{dataset["type"]}: {root / closest[0]} is missing. Expected '
            f'below {root}: {expected} (docs/data.md)')


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
        UserError: If the layout is wrong or the annotations cannot be read.
    """
    check_layout(dataset)
    try:
        built = DATASETS.build(dataset)
        if hasattr(built, 'full_init'):
            built.full_init()
    except URLError as error:
        raise UserError(
            f'{dataset["type"]} is not in {dataset.get("data_root")}, or has '
            f'another checksum there, and the download failed: {error.reason}.'
            ' Put it there (docs/data.md)') from error
    except Exception as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(f'{dataset["type"]} in {dataset.get("data_root")} '
                        f'cannot be read: {reason}') from error
    return built


def check_samples(dataset: BaseDataset, num_classes: Optional[int]) -> None:
    """Check classes, boxes and masks of a dataset, and that files are there.

    Args:
        dataset (BaseDataset): A built dataset.
        num_classes (int, optional): Classes of the model's head; None is not
            compared.

    Raises:
        UserError: If there are no images, the number of classes differs, a box
            or mask cannot be learnt or files are missing.
    """
    for part in parts(dataset):
        _check_part(part, num_classes)


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


def _check_part(dataset: BaseDataset, num_classes: Optional[int]) -> None:
    name = type(dataset).__name__
    if len(dataset) == 0:
        raise UserError(f'{name}: the list of images is empty.')
    classes = getattr(dataset, 'metainfo', {}).get('classes')
    if num_classes and classes and len(classes) != num_classes:
        raise UserError(f'{name} has {len(classes)} classes, the head '
                        f'{num_classes}: set num_classes of the head (and of '
                        'the teacher) in the config.')
    largest = _largest_label(dataset)
    if num_classes and largest is not None and largest >= num_classes:
        raise UserError(f'{name} has labels up to {largest}, the head '
                        f'{num_classes} classes: it is of another dataset, '
                        'or num_classes is wrong.')
    check_boxes(dataset)
    missing = list(missing_files(dataset))
    if missing:
        raise UserError(
            f'{name}: {len(missing)} of {len(dataset)} images are listed but '
            f'missing, {missing[0]} the first: is the archive unpacked to its '
            'end? tools/check_data.py CONFIG lists them.')
    check_masks(dataset)


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
        dataset (BaseDataset): A built dataset; one that holds its images
            has none.

    Yields:
        str: Paths.
    """
    for part in parts(dataset):
        if not hasattr(part, 'get_data_info'):
            continue
        for index in range(len(part)):
            info = part.get_data_info(index)
            for key in _PATHS:
                if info.get(key) and '://' not in info[key]:
                    yield info[key]


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
    """The number of classes of a model's head.

    Args:
        cfg (Config): Config with a model, distilled or not.

    Returns:
        int, optional: None if no head of the hosts' names has any.
    """
    model = cfg.model.get('architecture', cfg.model)
    for head in ('head', 'bbox_head', 'decode_head'):
        if head in model:
            return model[head].get('num_classes')
    return None
