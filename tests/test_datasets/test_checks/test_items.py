# Copyright (c) gld_mm authors. All rights reserved.
from types import SimpleNamespace

import pytest
from mmcv.transforms import TRANSFORMS, BaseTransform
from mmengine.dataset import BaseDataset, Compose
from mmengine.registry import init_default_scope

from gld_mm.datasets.checks.items import (missing_files, pick_evenly,
                                          reads_pictures)


@pytest.mark.parametrize('count, picked', [
    (None, [0, 1, 2, 3, 4, 5]),
    (9, [0, 1, 2, 3, 4, 5]),
    (6, [0, 1, 2, 3, 4, 5]),
    (3, [0, 2, 4]),
    (1, [0]),
])
def test_items_are_picked_evenly(count, picked):
    assert pick_evenly(range(6), count) == picked


def test_files_of_the_working_folder_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.jpg').touch()
    dataset = BaseDataset(lazy_init=True, serialize_data=False)
    dataset.data_list = [dict(img_path=name) for name in ('a.jpg', 'b.jpg')]
    dataset._fully_initialized = True
    assert list(missing_files(dataset)) == ['b.jpg']


@pytest.mark.parametrize('steps, pictures', [
    ([], True),
    ([dict(type='LoadImageFromFile'),
      dict(type='LoadAnnotations')], True),
    ([dict(type='LoadImageFromFile', imdecode_backend='tifffile')], False),
    ([dict(type='LoadImageFromFile', color_type='unchanged')], False),
    ([dict(type='LoadImageFromNDArray')], False),
    ([dict(type='Opened')], False),
])
def test_only_what_the_stock_loader_reads_is_known_to_be_a_picture(
        steps, pictures):
    pytest.importorskip('mmdet')
    init_default_scope('mmdet')
    dataset = SimpleNamespace(pipeline=Compose(steps))
    assert reads_pictures(dataset) == pictures


@TRANSFORMS.register_module(force=True)
class Opened(BaseTransform):
    """Reads an image of a kind of its own."""

    def transform(self, results):
        """Not called."""
