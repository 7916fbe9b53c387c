# Copyright (c) gld_mm authors. All rights reserved.
import pytest
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image

from gld_mm.utils import UserError
from gld_mm.utils.data_check import check_layout, check_samples

from ..voc import SIZE, voc_devkit

pytest.importorskip('mmseg')
NAMES = dict(
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    ann_file='ImageSets/Segmentation/train.txt')


@pytest.fixture
def folder(tmp_path):
    import gld_mm  # noqa: F401
    init_default_scope('mmseg')
    voc_devkit(tmp_path, images=2)
    return tmp_path / 'VOC2012'


def check(folder, **kwargs):
    check_samples(
        DATASETS.build(
            dict(
                type='PascalVOCDataset',
                data_root=str(folder),
                **NAMES,
                **kwargs)),
        num_classes=21)


def first_mask(folder):
    return sorted((folder / 'SegmentationClass').iterdir())[0]


def test_masks_of_labels_and_ignored_pixels_pass(folder):
    check(folder)


def test_masks_with_a_palette_pass(folder):
    with Image.open(first_mask(folder)) as mask:
        mask = mask.copy()
    mask.putpalette([0, 0, 0, 128, 0, 0])
    assert mask.mode == 'P'
    mask.save(first_mask(folder))
    check(folder)


@pytest.mark.parametrize('mask, message', [
    (Image.new('RGB', SIZE), 'mode RGB, not of one label a pixel'),
    (Image.new('L', (30, 24)), 'has 30x24 pixels, its image 300x240'),
    (Image.new('L', SIZE, 21), 'has the label 21, which is none of the 21'),
])
def test_a_mask_that_cannot_be_learnt_is_an_error(folder, mask, message):
    mask.save(first_mask(folder))
    with pytest.raises(UserError, match=message) as error:
        check(folder)
    assert str(error.value).startswith(str(first_mask(folder)))
    assert '\n' not in str(error.value)


def test_a_mask_that_is_no_image_is_an_error(folder):
    first_mask(folder).write_text('mask')
    with pytest.raises(UserError, match='not a whole image'):
        check(folder)


def test_labels_that_a_dataset_maps_may_be_of_all_its_classes(folder):
    # Here 12, the dog, becomes 1 and the cat is ignored.
    init_default_scope('mmseg')
    dataset = DATASETS.build(
        dict(
            type='PascalVOCDataset',
            data_root=str(folder),
            metainfo=dict(classes=('background', 'dog')),
            **NAMES))
    check_samples(dataset, num_classes=2)


def test_a_missing_mask_is_counted_with_the_missing_images(folder):
    first_mask(folder).unlink()
    with pytest.raises(UserError, match='1 of 2 images are listed but'):
        check(folder)


@pytest.mark.parametrize(
    'name',
    ['ImageSets/Segmentation/train.txt', 'JPEGImages', 'SegmentationClass'])
def test_a_missing_list_or_folder_is_an_error(folder, name):
    (folder / name).rename(folder / 'elsewhere')
    with pytest.raises(UserError, match=f'{name} is missing'):
        check_layout(
            dict(type='PascalVOCDataset', data_root=str(folder), **NAMES))
