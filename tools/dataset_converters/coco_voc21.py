# Copyright (c) gld_mm authors. All rights reserved.
"""Make masks of VOC's 21 classes from COCO's instances.

    python tools/dataset_converters/coco_voc21.py data/coco --nproc 8

reads `annotations/instances_{train,val}2017.json` and writes, below `voc21/`,
`{train,val}2017/*.png` with VOC's palette and the lists
`{train,val}2017.txt` of the images with enough labelled pixels. As the paper's
code family has it: classes other than VOC's are background, and where two
objects overlap the first of the annotations is on top. Crowds, which are
objects there, become 255, to be ignored. Masks that are there already are
kept: what was interrupted continues.
"""
import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import numpy as np
from mmengine.utils import track_parallel_progress, track_progress
from PIL import Image
from pycocotools import mask as coco_mask

import gld_mm  # noqa: F401

from mmseg.datasets import PascalVOCDataset  # isort: skip, repaired by gld_mm

CLASSES = PascalVOCDataset.METAINFO['classes']
PALETTE = np.array(PascalVOCDataset.METAINFO['palette'], np.uint8)
IGNORED = 255
# COCO's names of VOC's classes, where they differ.
NAMES = {
    'airplane': 'aeroplane',
    'motorcycle': 'motorbike',
    'potted plant': 'pottedplant',
    'couch': 'sofa',
    'dining table': 'diningtable',
    'tv': 'tvmonitor',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('coco', type=Path, help='folder with annotations/')
    parser.add_argument(
        '--splits',
        nargs='+',
        default=['train2017', 'val2017'],
        help='names of instances_SPLIT.json')
    parser.add_argument('--out', type=Path, help='by default COCO/voc21')
    parser.add_argument(
        '--min-pixels',
        type=int,
        default=1000,
        help='least number of labelled pixels of a listed image')
    parser.add_argument(
        '--nproc', type=int, default=1, help='worker processes')
    return parser.parse_args()


def load(path: Path) -> Tuple[List[dict], Dict[int, List[dict]]]:
    """Images of an instances json, and their objects of VOC's classes."""
    if not path.is_file():
        sys.exit(f'{path} is missing: unpack annotations_trainval2017.zip of '
                 'https://cocodataset.org there (docs/data.md).')
    try:
        content = json.loads(path.read_text())
        labels = {
            category['id']: NAMES.get(category['name'], category['name'])
            for category in content['categories']
        }
        labels = {
            i: CLASSES.index(n)
            for i, n in labels.items() if n in CLASSES
        }
        objects: Dict[int, List[dict]] = {}
        for annotation in content['annotations']:
            if annotation['category_id'] in labels:
                objects.setdefault(annotation['image_id'], []).append(
                    dict(
                        label=labels[annotation['category_id']],
                        crowd=annotation['iscrowd'],
                        segmentation=annotation['segmentation']))
        return content['images'], objects
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f'{path} is not COCO\'s instances: {error!r}')


def draw(height: int, width: int, objects: List[dict]) -> np.ndarray:
    """Draw labels ``(height, width)``, the first object on top."""
    labels = np.zeros((height, width), np.uint8)
    # A crowd is below every object.
    for item in sorted(objects, key=lambda item: item['crowd']):
        inside = rasterize(item['segmentation'], height, width)
        labels[inside & (labels == 0)] = (
            IGNORED if item['crowd'] else item['label'])
    return labels


def rasterize(segmentation, height: int, width: int) -> np.ndarray:
    """Fill polygons or a run-length code, bool ``(height, width)``."""
    if isinstance(segmentation, list):
        # pycocotools takes four numbers for a box.
        segmentation = [p for p in segmentation if len(p) >= 6]
        if not segmentation:
            return np.zeros((height, width), bool)
    elif isinstance(segmentation['counts'], str):
        return coco_mask.decode(segmentation).astype(bool)
    code = coco_mask.frPyObjects(segmentation, height, width)
    code = coco_mask.merge(code) if isinstance(code, list) else code
    return coco_mask.decode(code).astype(bool)


def convert(task: Tuple[dict, List[dict]], folder: Path) -> int:
    """Write the mask of an image; return its number of labelled pixels."""
    image, objects = task
    path = folder / f'{Path(image["file_name"]).stem}.png'
    if path.exists():
        with Image.open(path) as mask:
            labels = np.asarray(mask)
    else:
        labels = draw(image['height'], image['width'], objects)
        mask = Image.fromarray(labels, 'P')
        mask.putpalette(PALETTE.tobytes())
        unfinished = path.with_suffix('.tmp')
        mask.save(unfinished, 'PNG')
        os.replace(unfinished, path)
    return int(((labels > 0) & (labels != IGNORED)).sum())


def main() -> None:
    args = parse_args()
    out = args.out or args.coco / 'voc21'
    for split in args.splits:
        images, objects = load(args.coco / 'annotations' /
                               f'instances_{split}.json')
        folder = out / split
        folder.mkdir(parents=True, exist_ok=True)
        tasks: Iterator = ((image, objects.get(image['id'], []))
                           for image in images)
        work = partial(convert, folder=folder)
        if args.nproc > 1:
            pixels = track_parallel_progress(
                work, (tasks, len(images)), args.nproc, chunksize=32)
        else:
            pixels = track_progress(work, (tasks, len(images)))
        names = [
            Path(image['file_name']).stem
            for image, count in zip(images, pixels) if count >= args.min_pixels
        ]
        (out / f'{split}.txt').write_text(''.join(f'{n}\n' for n in names))
        print(
            f'\n{split}: {len(images)} masks in {folder}, {len(names)} of at '
            f'least {args.min_pixels} labelled pixels in {out}/{split}.txt')


if __name__ == '__main__':
    main()
