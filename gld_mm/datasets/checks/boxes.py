# Copyright (c) gld_mm authors. All rights reserved.
"""Find boxes that a detector cannot learn from."""
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import List, Optional, Set

from mmengine.dataset import BaseDataset
from mmengine.fileio import list_from_file

from gld_mm.errors import UserError

from .items import infos, pick_evenly
from .log import warn


def check_boxes(datasets: List[BaseDataset],
                sample: Optional[int] = None) -> None:
    """Check the boxes of a detection dataset, and VOC's names of classes.

    mmdet skips an object of a class that it does not know, and trains on a box
    without an area, unless it ignores the box; the loss may not be finite.

    Args:
        datasets (list[BaseDataset]): The built parts of a dataset; those
            without boxes pass.
        sample (int, optional): How many XML files of each are read for the
            names. Defaults to None, all.

    Raises:
        UserError: If a box has no area, an XML file spells a class otherwise
            than the dataset, or no object has a known class.
    """
    objects = 0
    unknown: Set[str] = set()
    for dataset in datasets:
        objects += _count_objects(dataset)
        if hasattr(dataset,
                   'ann_subdir') and '://' not in dataset.sub_data_root:
            unknown |= _unknown_names(dataset, sample)
    if unknown:
        line = (f'{type(datasets[0]).__name__} leaves out objects of '
                f'{", ".join(sorted(unknown))}, which metainfo.classes of the '
                'dataset does not name.')
        if not objects:
            raise UserError(f'No object is left to learn: {line}')
        warn(line)


def _count_objects(dataset: BaseDataset) -> int:
    """The number of objects, each of which has a box with an area."""
    count = 0
    for info in infos(dataset):
        if 'instances' not in info:  # no detection
            break
        count += len(info['instances'])
        for instance in info['instances']:
            box = instance.get('bbox', ())
            if instance.get('ignore_flag') or len(box) != 4:
                continue  # 8 numbers are corners of a turned box
            left, top, right, bottom = box
            if right <= left or bottom <= top:
                raise UserError(
                    f'{info.get("xml_path", info.get("img_path"))}: the box '
                    f'{box} has no area: remove or repair it.')
    return count


def _unknown_names(dataset: BaseDataset, sample: Optional[int]) -> Set[str]:
    """Classes of the XML files that a dataset does not know."""
    # The list, since the dataset leaves out images without a known object.
    # Classes that a config leaves out on purpose are known, too.
    known = {
        *dataset.metainfo['classes'], *dataset.METAINFO.get('classes', ())
    }
    spelt = {_fold(name): name for name in known}
    unknown: Set[str] = set()
    for name in pick_evenly(list_from_file(dataset.ann_file), sample):
        path = Path(dataset.sub_data_root, dataset.ann_subdir, f'{name}.xml')
        if not path.is_file():  # WIDERFace keeps them elsewhere.
            continue
        found = {str(x.text) for x in ET.parse(path).iterfind('object/name')}
        for other in sorted(found - known):
            if _fold(other) in spelt:
                raise UserError(
                    f'{path}: the class "{other}" is "{spelt[_fold(other)]}" '
                    f'of {type(dataset).__name__}: spell both alike.')
        unknown |= found - known
    return unknown


def _fold(name: str) -> str:
    """A name without what is easily misspelt: case, blanks, hyphens."""
    return re.sub(r'[\s_-]', '', name.casefold())
