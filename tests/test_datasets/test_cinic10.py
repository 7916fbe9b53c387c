# Copyright (c) gld_mm authors. All rights reserved.
import shutil

import cv2
import numpy as np
import pytest

from gld_mm.datasets import CINIC10

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


@pytest.fixture
def root(tmp_path):
    for split in ('train', 'test'):
        for name in CINIC10.METAINFO['classes']:
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            cv2.imwrite(
                str(folder / 'cifar10-train-1.png'),
                np.zeros((32, 32, 3), np.uint8))
    return tmp_path


def test_it_reads_the_class_folders_of_a_split(root):
    dataset = CINIC10(
        str(root), 'test', pipeline=[dict(type='LoadImageFromFile')])
    assert len(dataset) == 10
    assert dataset.get_gt_labels().tolist() == list(range(10))
    assert dataset[3]['img'].shape == (32, 32, 3)
    assert '/test/cat/' in dataset[3]['img_path']


def test_a_missing_class_folder_is_named_with_what_to_do(root):
    shutil.rmtree(root / 'train' / 'frog')
    with pytest.raises(
            FileNotFoundError, match='train/frog is missing. Unpack CINIC'):
        CINIC10(str(root), 'train')


def test_another_split_is_an_error(root):
    with pytest.raises(ValueError, match='got "val"'):
        CINIC10(str(root), 'val')
