# Copyright (c) gld_mm authors. All rights reserved.
import shutil
from contextlib import nullcontext

import pytest
from mmcv.transforms import TRANSFORMS, BaseTransform
from mmengine.dataset import ConcatDataset
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image

from gld_mm.datasets.checks.build import build_dataset, check_layout
from gld_mm.datasets.checks.samples import check_samples
from gld_mm.errors import UserError
from tests.voc import SIZE, voc_devkit

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


@pytest.mark.parametrize('mode', ['1', 'I;16'])
def test_masks_of_one_bit_or_more_than_eight_pass(folder, mode):
    Image.new(mode, SIZE, 1).save(first_mask(folder))
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


@pytest.mark.parametrize('orientation, size', [(6, SIZE[::-1]), (3, SIZE)])
def test_a_mask_has_the_size_of_its_photograph_as_mmcv_turns_it(
        folder, orientation, size):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = sorted((folder / 'JPEGImages').iterdir())[0]
    Image.new('RGB', SIZE).save(image, exif=exif)
    Image.new('L', size).save(first_mask(folder))
    check(folder)
    Image.new('L', size[::-1]).save(first_mask(folder))
    with pytest.raises(UserError, match='they should have the same size'):
        check(folder)


@TRANSFORMS.register_module(force=True)
class LoadMine(BaseTransform):
    """Reads what Pillow does not."""

    def transform(self, results):
        return results


@TRANSFORMS.register_module(force=True)
class ToTrainIds(LoadMine):
    """Makes labels of what a file holds."""


@pytest.mark.parametrize('loader, fits', [('LoadMine', True),
                                          ('ToTrainIds', True),
                                          ('LoadAnnotations', False)])
def test_files_of_a_loader_of_the_users_own_are_not_read(folder, loader, fits):
    first_mask(folder).write_bytes(b'numbers')
    pipeline = [dict(type='LoadImageFromFile'), dict(type=loader)]
    with nullcontext() if fits else pytest.raises(UserError):
        check(folder, pipeline=pipeline)


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


def two_classes(folder, *values):
    """A dataset of two classes whose masks have these values."""
    init_default_scope('mmseg')
    for mask in (folder / 'SegmentationClass').iterdir():
        image = Image.new('L', SIZE, values[0])
        for x, value in enumerate(values[1:]):
            image.putpixel((x, 0), value)
        image.save(mask)
    return DATASETS.build(
        dict(
            type='BaseSegDataset',
            img_suffix='.jpg',
            seg_map_suffix='.png',
            data_root=str(folder),
            metainfo=dict(classes=('background', 'defect')),
            **NAMES))


def test_forgotten_classes_are_an_error(folder):
    dataset = two_classes(folder, 0, 1)
    dataset._metainfo = {}
    with pytest.raises(UserError, match='names no classes: set metainfo='):
        check_samples(dataset, num_classes=2)


@pytest.mark.parametrize('suffix', ['.png', 'jpeg'])
def test_a_folder_without_an_image_of_the_suffix_is_an_error(folder, suffix):
    init_default_scope('mmseg')
    cfg = dict(
        type='BaseSegDataset',
        img_suffix=suffix,
        data_root=str(folder),
        data_prefix=NAMES['data_prefix'])
    with pytest.raises(UserError, match='no image is found. Check .*img_suf'):
        build_dataset(cfg)


def test_masks_of_0_and_255_with_two_classes_are_an_error(folder):
    with pytest.raises(UserError) as error:
        check_samples(two_classes(folder, 0, 255), num_classes=2)
    assert str(error.value) == (
        'BaseSegDataset: its 2 masks have the labels 0, 255 and no other, and '
        '255 is ignored: the one class 0 is all that can be learnt. Write the '
        'label of the other class where it is 255.')


def test_one_mask_with_the_other_class_is_enough(folder):
    dataset = two_classes(folder, 0, 255)
    image = Image.new('L', SIZE, 0)
    image.putpixel((3, 3), 1)
    image.save(sorted((folder / 'SegmentationClass').iterdir())[-1])
    check_samples(dataset, num_classes=2, sample=1)


def test_a_class_in_none_of_the_masks_is_a_warning(folder, lines):
    check_samples(two_classes(folder, 0), num_classes=2)
    check_samples(two_classes(folder, 0, 1, 255), num_classes=2)
    assert lines == [
        'BaseSegDataset: 1 of 2 classes are in none of the masks that were '
        'looked at, such as defect.'
    ]


def test_labels_are_reduced_by_one_before_they_are_mapped(folder, lines):
    two_classes(folder, 0, 1, 2, 3)
    # 1, the wall, becomes 0, and 3, the sky, becomes 1.
    dataset = DATASETS.build(
        dict(
            type='ADE20KDataset',
            data_root=str(folder),
            metainfo=dict(classes=('wall', 'sky')),
            data_prefix=NAMES['data_prefix']))
    check_samples(dataset, num_classes=2)
    assert lines == []


def test_the_parts_of_a_dataset_may_show_one_class_each(folder, tmp_path):
    other = tmp_path / 'other'
    shutil.copytree(folder, other)
    two_classes(other, 1, 255)
    dataset = ConcatDataset(
        [two_classes(folder, 0, 255),
         two_classes(other, 1, 255)])
    check_samples(dataset, num_classes=2)


def test_one_score_tells_two_classes_apart(folder):
    check_samples(two_classes(folder, 0, 1), num_classes=1)
