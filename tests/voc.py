# Copyright (c) gld_mm authors. All rights reserved.
"""A VOCdevkit of drawn scenes.

    python -m tests.voc data/drawn 24
"""
import sys
from pathlib import Path
from typing import Sequence

import numpy as np
from PIL import Image, ImageDraw

SIZE = (300, 240)
OBJECT = ('<object><name>{}</name><difficult>0</difficult><bndbox><xmin>{}'
          '</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>'
          '</object>')


def voc_devkit(root: Path, images: int = 4) -> None:
    """Write VOC2007 and VOC2012 with as many scenes each.

    On grey noise there are a red rectangle, the dog, and a green ellipse, the
    cat, anywhere. VOC2012 has masks of both, and SBD's, which are the same.
    """
    rng = np.random.default_rng(0)
    for year in ('2007', '2012'):
        folder = root / f'VOC{year}'
        for name in ('Annotations', 'JPEGImages', 'SegmentationClass',
                     'SegmentationClassAug', 'ImageSets/Main',
                     'ImageSets/Segmentation'):
            (folder / name).mkdir(parents=True)
        names = [f'{year}_{index:06}' for index in range(images)]
        for split in ('Main/trainval', 'Main/test', 'Segmentation/train',
                      'Segmentation/val', 'Segmentation/aug'):
            (folder / 'ImageSets' /
             f'{split}.txt').write_text('\n'.join(names) + '\n')
        for name in names:
            noise = rng.integers(100, 156, (*SIZE[::-1], 3), dtype=np.uint8)
            image = Image.fromarray(noise)
            draw = ImageDraw.Draw(image)
            dog, cat = _box(rng), _box(rng)
            draw.rectangle(dog, 'red')
            draw.ellipse(cat, 'green')
            mask = Image.new('L', SIZE)
            draw = ImageDraw.Draw(mask)
            draw.rectangle(dog, 12)
            draw.ellipse(cat, 8, outline=255)
            for kind in ('SegmentationClass', 'SegmentationClassAug'):
                mask.save(folder / kind / f'{name}.png')
            image.save(folder / 'JPEGImages' / f'{name}.jpg')
            # VOC counts pixels from 1.
            write_xml(folder / 'Annotations' / f'{name}.xml',
                      [(label, *(value + 1 for value in box))
                       for label, box in (('dog', dog), ('cat', cat))])


def _box(rng: np.random.Generator) -> tuple:
    """Left, top, right and bottom of an object of 60 to 135 pixels."""
    width, height = rng.integers(60, 136, 2).tolist()
    x = int(rng.integers(SIZE[0] - width))
    y = int(rng.integers(SIZE[1] - height))
    return x, y, x + width, y + height


def write_xml(path: Path, objects: Sequence[tuple]) -> None:
    """Annotate an image with (class, x1, y1, x2, y2), counted from 1."""
    path.write_text(f'<annotation><size><width>{SIZE[0]}</width><height>'
                    f'{SIZE[1]}</height><depth>3</depth></size>' +
                    ''.join(OBJECT.format(*item)
                            for item in objects) + '</annotation>')


if __name__ == '__main__':
    voc_devkit(Path(sys.argv[1]), int(sys.argv[2]))
