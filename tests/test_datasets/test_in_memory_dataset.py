# Copyright (c) gld_mm authors. All rights reserved.
import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from gld_mm.datasets import InMemoryDataset

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


def folders(root, sizes=(4, 4, 4)):
    """Images of two classes, each of one colour, blue first in the file."""
    for number, size in enumerate(sizes):
        folder = root / f'class{number % 2}'
        folder.mkdir(parents=True, exist_ok=True)
        image = np.full((size, size, 3), (number, 10, 20), np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), image)
    return dict(
        type='CustomDataset',
        data_root=str(root),
        pipeline=[dict(type='LoadImageFromFile')])


def test_it_holds_the_images_and_labels_of_the_dataset(tmp_path):
    dataset = InMemoryDataset(folders(tmp_path))
    assert len(dataset) == 3
    assert dataset.metainfo['classes'] == ('class0', 'class1')
    assert dataset.images.shape == (3, 3, 4, 4)
    assert dataset.images.dtype == torch.uint8
    # Class 0 has images 0 and 2, class 1 has 1.
    assert dataset.images[:, 0, 0, 0].tolist() == [0, 2, 1]
    assert dataset.labels.tolist() == [0, 0, 1]


class Grey(list):
    """A built dataset of grey images."""

    metainfo = dict(classes=('a', ))


def test_a_built_dataset_of_grey_images_has_one_channel():
    image = np.full((4, 4), 7, np.uint8)
    made = InMemoryDataset(Grey([dict(img=image, gt_label=0)]))
    assert made.images.shape == (1, 1, 4, 4)
    assert made[0]['gt_label'] == 0
    with pytest.raises(ValueError, match='without images'):
        InMemoryDataset(Grey())


def test_the_loader_of_mmengine_gets_whole_batches(tmp_path):
    loader = Runner.build_dataloader(
        dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='torch.utils.data.default_convert'),
            dataset=dict(type='InMemoryDataset', dataset=folders(tmp_path))))
    first, second = loader
    assert first['inputs'].shape == (2, 3, 4, 4)
    assert first['gt_label'].tolist() == [0, 0]
    assert second['inputs'].shape == (1, 3, 4, 4)
    assert second['gt_label'].tolist() == [1]


def test_images_of_several_sizes_are_an_error(tmp_path):
    cfg = folders(tmp_path, sizes=(4, 4, 5))
    with pytest.raises(ValueError, match='images of one size.*of image 1'):
        InMemoryDataset(cfg)
