# Copyright (c) gld_mm authors. All rights reserved.
"""Find boxes that a detector cannot learn from."""
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Optional

from mmengine.dataset import BaseDataset
from mmengine.fileio import list_from_file

from gld_mm.errors import UserError

from .items import infos, pick_evenly


def check_boxes(dataset: BaseDataset, sample: Optional[int] = None) -> None:
    """Check the boxes of a detection dataset, and VOC's names of classes.

    mmdet skips an object of a class that it does not know, and trains on a box
    without an area, unless it ignores the box; the loss may not be finite.

    Args:
        dataset (BaseDataset): A built dataset; one without boxes passes.
        sample (int, optional): How many XML files are read for the names.
            Defaults to None, all.

    Raises:
        UserError: If a box has no area, or an XML file an unknown class.
    """
    for info in infos(dataset):
        for instance in info.get('instances', ()):
            if instance.get('ignore_flag'):
                continue
            left, top, right, bottom = instance.get('bbox', (0, 0, 1, 1))
            if right <= left or bottom <= top:
                raise UserError(
                    f'{info.get("xml_path", info.get("img_path"))}: the box '
                    f'{instance["bbox"]} has no area: remove or repair it.')
    if hasattr(dataset, 'ann_subdir') and '://' not in dataset.sub_data_root:
        _check_names(dataset, sample)


def _check_names(dataset: BaseDataset, sample: Optional[int]) -> None:
    # The list, since the dataset leaves out images without a known object.
    # Classes that a config leaves out on purpose are known, too.
    known = {
        *dataset.metainfo['classes'], *dataset.METAINFO.get('classes', ())
    }
    for name in pick_evenly(list_from_file(dataset.ann_file), sample):
        path = Path(dataset.sub_data_root, dataset.ann_subdir, f'{name}.xml')
        if not path.is_file():  # WIDERFace keeps them elsewhere.
            continue
        for found in ET.parse(path).iterfind('object/name'):
            if found.text not in known:
                raise UserError(
                    f'{path}: the class "{found.text}" is not one of '
                    f'{type(dataset).__name__}: correct it, or name it in '
                    'metainfo.classes of the datasets.')
