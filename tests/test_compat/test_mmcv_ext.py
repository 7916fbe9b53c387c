# Copyright (c) gld_mm authors. All rights reserved.
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from gld_mm.compat import mmcv_ext

from . import ONEDL

lite = pytest.mark.skipif(
    getattr(find_spec('mmcv._ext'), 'loader', None) is not None,
    reason='full mmcv is installed')


def greedy_nms(boxes, scores, threshold, offset):
    """Non-maximum suppression as one writes it on a blackboard."""
    keep = []
    for i in scores.argsort(descending=True).tolist():
        for j in keep:
            low = torch.maximum(boxes[i, :2], boxes[j, :2])
            high = torch.minimum(boxes[i, 2:], boxes[j, 2:])
            overlap = (high - low + offset).clamp(min=0).prod()
            areas = [(boxes[k, 2:] - boxes[k, :2] + offset).prod()
                     for k in (i, j)]
            if overlap / (sum(areas) - overlap) > threshold:
                break
        else:
            keep.append(i)
    return keep


def boxes_and_scores():
    generator = torch.Generator().manual_seed(0)
    corner = torch.randint(0, 20, (60, 2), generator=generator).float()
    size = torch.randint(1, 12, (60, 2), generator=generator).float()
    return torch.cat([corner, corner + size], 1), torch.rand(
        60, generator=generator)


@pytest.mark.parametrize('offset', [0, 1])
def test_nms_keeps_what_the_definition_keeps(offset):
    boxes, scores = boxes_and_scores()
    kept = mmcv_ext.nms(boxes, scores, iou_threshold=0.31, offset=offset)
    assert kept.tolist() == greedy_nms(boxes, scores, 0.31, offset)


def test_the_offset_decides_a_border_case():
    # Intersection over union 2/6 with borders, 2*3/(3*3 + 3*3 - 2*3) = 1/2
    # when the last pixel counts.
    boxes = torch.tensor([[0., 0., 2., 2.], [1., 0., 3., 2.]])
    scores = torch.tensor([.9, .8])
    assert mmcv_ext.nms(boxes, scores, 0.4, offset=0).tolist() == [0, 1]
    assert mmcv_ext.nms(boxes, scores, 0.4, offset=1).tolist() == [0]


@pytest.mark.parametrize('offset', [0, 1])
def test_the_nms_of_this_mmcv_keeps_it_too(offset):
    from mmcv.ops import nms
    boxes, scores = boxes_and_scores()
    kept = nms(boxes, scores, 0.31, offset=offset)[1]
    assert kept.tolist() == greedy_nms(boxes, scores, 0.31, offset)


def test_mmcv_ops_nms_runs():
    from mmcv.ops import nms
    boxes = torch.tensor([[0., 0., 4., 4.], [0., 0., 4., 3.], [9., 9., 10,
                                                               10]])
    dets, kept = nms(boxes, torch.tensor([.5, .9, .1]), 0.5)
    assert kept.tolist() == [1, 2]
    assert dets[:, 4].tolist() == pytest.approx([.9, .1])


@lite
def test_another_operator_names_the_package_to_install():
    from mmcv.ops import soft_nms
    with pytest.raises(ImportError, match='softnms.*build mmcv 2.1.0'):
        soft_nms(torch.rand(3, 4), torch.rand(3))


@lite
@pytest.mark.parametrize('package', [
    'mmdet',
    pytest.param(
        'mmseg', marks=pytest.mark.skipif(ONEDL, reason='OneDL does without'))
])
def test_it_does_not_import_without_the_stand_in(package):
    pytest.importorskip(package)
    run = subprocess.run([sys.executable, '-c', f'import {package}.models'],
                         capture_output=True,
                         text=True)
    assert "No module named 'mmcv._ext'" in run.stderr


def test_a_real_extension_wins(tmp_path):
    (tmp_path /
     '_ext.py').write_text('def __getattr__(name): return "compiled"')
    code = ('import mmcv; mmcv.__path__.insert(0, sys.argv[1]); import gld_mm;'
            'import mmcv._ext; print(mmcv._ext.nms)')
    run = subprocess.run(
        [sys.executable, '-c', f'import sys; {code}',
         str(tmp_path)],
        capture_output=True,
        text=True)
    assert run.stdout.splitlines()[-1] == 'compiled', run.stderr
