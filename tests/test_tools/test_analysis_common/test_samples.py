# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common import load_metainfo, load_samples
from gld_mm.errors import UserError

CONFIGS = Path(__file__).parents[3] / 'configs'
DIGITS = str(CONFIGS / 'baseline/r8_digits.py')
CIFAR = str(CONFIGS / 'baseline/r20_cifar100.py')
SSD = str(CONFIGS / 'baseline/ssd300_r18_voc.py')
DEEPLAB = str(CONFIGS / 'baseline/deeplabv3plus_r18_voc12aug.py')


@pytest.fixture
def red(tmp_path):
    """A red image of 32x24 pixels."""
    path = tmp_path / 'red.png'
    Image.new('RGB', (32, 24), (200, 10, 0)).save(path)
    return str(path)


def test_images_of_the_test_set_have_their_label():
    pytest.importorskip('sklearn')
    first, other = load_samples(DIGITS, [0, 7])
    assert (first.name, other.name) == ('0', '7')
    assert first.image.shape == (16, 16, 3)
    # Test images come class by class and start over.
    assert other.packed['data_samples'].gt_label.item() == 7
    np.testing.assert_array_equal(
        other.image, other.packed['inputs'].permute(1, 2, 0).numpy())


@pytest.mark.parametrize('config, host, size', [
    (CIFAR, 'mmpretrain', (24, 32)),
    (SSD, 'mmdet', (300, 300)),
    (DEEPLAB, 'mmseg', (512, 683)),
])
def test_a_file_goes_through_the_pipeline_and_is_shown_in_rgb(
        config, host, size, red):
    pytest.importorskip(host)
    sample, = load_samples(config, images=[red])
    assert sample.name == 'red.png'
    assert sample.image.shape == (*size, 3)
    assert sample.packed['inputs'].shape == (3, *size)
    np.testing.assert_array_equal(sample.image[5, 5], [200, 10, 0])
    # CIFAR-100 is RGB, what is loaded from files BGR for the preprocessor.
    first = 200 if host == 'mmpretrain' else 0
    assert sample.packed['inputs'][0, 5, 5] == first


def test_what_is_not_there_is_said(red):
    pytest.importorskip('sklearn')
    with pytest.raises(UserError, match='no image 2000.* has 2000 images'):
        load_samples(DIGITS, [0, 2000])
    with pytest.raises(UserError, match='no.jpg does not exist'):
        load_samples(DIGITS, images=[red, 'no.jpg'])


def test_the_names_of_classes_need_no_data():
    assert load_metainfo(CIFAR)['classes'][:2] == ('apple', 'aquarium_fish')
    pytest.importorskip('mmseg')
    metainfo = load_metainfo(DEEPLAB)
    assert metainfo['classes'][0] == 'background'
    assert metainfo['palette'][1] == [128, 0, 0]


def test_the_in_memory_path_packs_no_single_images(tmp_path, red):
    config = tmp_path / 'mine.py'
    config.write_text(f"""
_base_ = '{CONFIGS}/_base_/datasets/cifar100_bs64_in_memory.py'
default_scope = 'mmpretrain'
model = dict()
""")
    with pytest.raises(UserError, match='without the in-memory data path'):
        load_samples(str(config), images=[red])
