# Copyright (c) gld_mm authors. All rights reserved.
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence

import mmcv
import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from gld_mm.config import leaf_datasets, model_of, read_config, student_of
from gld_mm.config.read import type_name
from gld_mm.datasets.checks.build import build_dataset, class_of
from gld_mm.errors import UserError


@dataclass
class Sample:
    """An image as a network gets it, and as one looks at it.

    Args:
        packed (dict): What the pipeline outputs: ``inputs`` and
            ``data_samples``.
        image (np.ndarray): RGB, ``(H, W, 3)``, uint8, as large as ``inputs``.
        name (str): Index or file name.
    """
    packed: dict
    image: np.ndarray
    name: str


def load_samples(config: str,
                 indices: Sequence[int] = (),
                 images: Optional[Sequence[str]] = None) -> List[Sample]:
    """Load images of a test set, or files, through the test set's pipeline.

    Args:
        config (str): Path of the config that has the test set.
        indices (Sequence[int]): Which of its images. Defaults to none.
        images (Sequence[str], optional): Image files instead, which have no
            ground truth; the dataset need not be there then.

    Returns:
        list[Sample]: One for each.

    Raises:
        UserError: If an index or a file is not there, or the test set is one
            in memory, whose preprocessor takes whole batches.
    """
    cfg = read_config(config)
    init_default_scope(cfg.default_scope)
    dataset = cfg.test_dataloader.dataset
    is_bgr = _is_bgr(cfg)
    if images:
        pipeline = Compose([
            step for step in leaf_datasets(dataset)[0]['pipeline']
            if 'LoadAnnotations' not in type_name(step)
        ])
        packed = [pipeline(_read(path, is_bgr)) for path in images]
        names = [Path(path).name for path in images]
    else:
        built = build_dataset(dataset)
        for index in indices:
            if not 0 <= index < len(built):
                raise UserError(f'There is no image {index}: the test set of '
                                f'{config} has {len(built)} images.')
        packed = [built[index] for index in indices]
        names = [str(index) for index in indices]
    if any('inputs' not in item for item in packed):
        raise UserError(f'The test set of {config} packs no single images: '
                        'give the config without the in-memory data path.')
    return [
        Sample(item, _to_rgb(item['inputs'], is_bgr), name)
        for item, name in zip(packed, names)
    ]


def load_metainfo(config: str) -> dict:
    """What a test set says of itself.

    Args:
        config (str): Path of the config that has the test set, which need not
            be there if the names of its classes are known.

    Returns:
        dict: ``classes`` by label and, where there is one, ``palette``.
    """
    cfg = read_config(config)
    init_default_scope(cfg.default_scope)
    dataset = leaf_datasets(cfg.test_dataloader.dataset)[0]
    known = getattr(class_of(dataset), 'METAINFO', {})
    metainfo = {**known, **dataset.get('metainfo', {})}
    if not metainfo.get('classes'):  # images in folders
        metainfo = dict(build_dataset(dataset).metainfo)
    return metainfo


def _read(path: str, is_bgr: bool) -> dict:
    """Read an image, whether or not the pipeline loads it again."""
    if not Path(path).is_file():
        raise UserError(f'The image {path} does not exist.')
    image = mmcv.imread(path)
    if image is None:
        raise UserError(f'{path} is no image.')
    if not is_bgr:
        image = mmcv.bgr2rgb(image)
    shape = image.shape[:2]
    return dict(
        img=image,
        img_path=str(path),
        img_id=0,
        img_shape=shape,
        ori_shape=shape)


def _is_bgr(cfg: Config) -> bool:
    """Whether images are BGR before the preprocessor."""
    preprocessor = model_of(student_of(cfg)).get('data_preprocessor') or {}
    return bool(preprocessor.get('to_rgb') or preprocessor.get('bgr_to_rgb'))


def _to_rgb(inputs, is_bgr: bool) -> np.ndarray:
    image = inputs.permute(1, 2, 0).numpy()
    return image[..., ::-1] if is_bgr else image
