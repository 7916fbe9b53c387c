# Copyright (c) gld_mm authors. All rights reserved.
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmseg')
pytest.importorskip('pycocotools')
TOOL = Path(__file__).parents[2] / 'tools/dataset_converters/coco_voc21.py'
AEROPLANE, PERSON, IGNORED = 1, 15, 255


def rectangle(x, y, width, height):
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def write(folder, images, objects):
    """An instances json; an object is (image, category, crowd, segments)."""
    (folder / 'annotations').mkdir()
    content = dict(
        images=[
            dict(id=i, file_name=f'{i:012}.jpg', height=h, width=w)
            for i, (h, w) in images.items()
        ],
        annotations=[
            dict(image_id=i, category_id=c, iscrowd=crowd, segmentation=s)
            for i, c, crowd, s in objects
        ],
        # COCO's own ids are not contiguous.
        categories=[
            dict(id=1, name='person'),
            dict(id=5, name='airplane'),
            dict(id=13, name='stop sign')
        ])
    (folder / 'annotations/instances_val2017.json').write_text(
        json.dumps(content))


def run(folder, *args):
    return subprocess.run(
        [sys.executable, TOOL, folder, '--splits', 'val2017', *args],
        capture_output=True,
        text=True)


def labels(folder, image):
    with Image.open(folder / f'voc21/val2017/{image:012}.png') as mask:
        assert mask.mode == 'P'
        return np.asarray(mask)


@pytest.mark.parametrize('nproc', ['1', '2'])
def test_masks_and_list_by_hand(tmp_path, nproc):
    write(
        tmp_path,
        {
            7: (60, 80),
            8: (60, 80),
            9: (10, 10)
        },
        [
            # Columns 0 to 9 are a crowd, a run-length code by columns; it is
            # first, and yet below the aeroplane.
            (7, 1, 1, dict(size=[60, 80], counts=[0, 600, 4200])),
            (7, 5, 0, rectangle(5, 10, 45, 30)),
            (7, 1, 0, rectangle(40, 20, 30, 30)),
            (7, 13, 0, rectangle(0, 50, 80, 10)),  # of no class of VOC
            (8, 1, 0, rectangle(0, 0, 33, 30)),  # 990 pixels
            (8, 1, 0, [[1, 1, 2, 2]]),  # no polygon
        ])
    result = run(tmp_path, '--nproc', nproc)
    assert result.returncode == 0, result.stderr
    expected = np.zeros((60, 80), np.uint8)
    expected[20:50, 40:70] = PERSON
    expected[:, :10] = IGNORED
    expected[10:40, 5:50] = AEROPLANE
    assert (labels(tmp_path, 7) == expected).all()
    assert (labels(tmp_path, 8) == PERSON).sum() == 990
    assert not labels(tmp_path, 9).any()
    assert (tmp_path / 'voc21/val2017.txt').read_text() == f'{7:012}\n'
    assert '3 masks' in result.stdout and '1 of at least 1000' in result.stdout


def test_an_interrupted_conversion_continues(tmp_path):
    write(tmp_path, {
        7: (60, 80),
        8: (60, 80)
    }, [(i, 5, 0, rectangle(0, 0, 50, 50)) for i in (7, 8)])
    assert run(tmp_path).returncode == 0
    masks = tmp_path / 'voc21/val2017'
    kept, lost = masks / f'{7:012}.png', masks / f'{8:012}.png'
    before = kept.stat().st_mtime_ns
    # Killed in the second mask: only its unfinished file is there.
    lost.rename(lost.with_suffix('.tmp'))
    (tmp_path / 'voc21/val2017.txt').unlink()
    assert run(tmp_path).returncode == 0
    assert kept.stat().st_mtime_ns == before
    assert sorted(masks.iterdir()) == [kept, lost]
    assert (tmp_path /
            'voc21/val2017.txt').read_text() == f'{7:012}\n{8:012}\n'


@pytest.mark.parametrize('content, message', [
    (None, 'is missing: unpack'),
    ('{"images": ', 'is not COCO\'s instances'),
    ('{"images": []}', 'is not COCO\'s instances'),
])
def test_a_wrong_json_is_one_line(tmp_path, content, message):
    (tmp_path / 'annotations').mkdir()
    if content:
        (tmp_path / 'annotations/instances_val2017.json').write_text(content)
    result = run(tmp_path)
    assert result.returncode == 1
    assert message in result.stderr.splitlines()[-1]
    assert 'Traceback' not in result.stderr
