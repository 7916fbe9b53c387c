# Copyright (c) gld_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmpretrain.datasets import RandomCrop, RandomFlip
from mmpretrain.models import ClsDataPreprocessor

from gld_mm.models import BatchedClsDataPreprocessor
from gld_mm.models.data_preprocessors import batched_cls_data_preprocessor

random_crop_flip = batched_cls_data_preprocessor.random_crop_flip
pytestmark = pytest.mark.usefixtures('mmpretrain_scope')

SIZE, PADDING = 5, 2
IMAGE = np.random.default_rng(0).integers(1, 256, (SIZE, SIZE, 3), np.uint8)


def variants():
    """All that a crop and a flip can make of the image, as bytes."""
    padded = np.zeros((SIZE + 2 * PADDING, ) * 2 + (3, ), np.uint8)
    padded[PADDING:-PADDING, PADDING:-PADDING] = IMAGE
    made = []
    for top in range(2 * PADDING + 1):
        for left in range(2 * PADDING + 1):
            crop = padded[top:top + SIZE, left:left + SIZE]
            made += [crop.tobytes(), crop[:, ::-1].tobytes()]
    assert len(set(made)) == 50
    return made


def ours(number):
    torch.manual_seed(0)
    images = torch.from_numpy(IMAGE).permute(2, 0,
                                             1).expand(number, -1, -1, -1)
    made = random_crop_flip(images, PADDING, 0.5).permute(0, 2, 3, 1)
    return [image.numpy().tobytes() for image in made.contiguous()]


def stock(number):
    np.random.seed(0)
    crop, flip = RandomCrop(SIZE, padding=PADDING), RandomFlip(0.5)
    return [
        np.ascontiguousarray(flip(crop(dict(img=IMAGE)))['img']).tobytes()
        for _ in range(number)
    ]


@pytest.mark.parametrize('augment', [ours, stock])
def test_each_crop_and_flip_is_as_likely_as_with_the_stock_transforms(augment):
    number = 50 * 100
    made = augment(number)
    counts = [made.count(variant) for variant in variants()]
    assert sum(counts) == number  # nothing else is made
    # Chi-square of 49 degrees of freedom: mean 49, deviation 9.9.
    assert sum((c - 100)**2 / 100 for c in counts) < 100


def test_images_of_a_batch_are_augmented_independently():
    made = ours(2000)
    pairs = {(a, b) for a, b in zip(made[::2], made[1::2])}
    # 1,000 pairs out of 2,500: few repeat if they are independent.
    assert len(pairs) > 700


def test_without_padding_and_flip_an_image_is_left_alone():
    images = torch.randint(0, 256, (4, 3, 6, 7), dtype=torch.uint8)
    assert random_crop_flip(images, 0, 0.).equal(images)
    assert random_crop_flip(images, 0, 1.).equal(images.flip(3))


def batch():
    images = torch.randint(0, 256, (4, 3, 6, 6), dtype=torch.uint8)
    return dict(inputs=images, gt_label=torch.tensor([3, 1, 0, 2]))


@pytest.mark.parametrize('channels_last', [False, True])
def test_validation_images_are_those_of_the_stock_preprocessor(channels_last):
    cfg = dict(mean=[10., 20., 30.], std=[3., 4., 5.], to_rgb=True)
    data = batch()
    made = BatchedClsDataPreprocessor(channels_last=channels_last, **cfg)(data)
    expected = ClsDataPreprocessor(**cfg)(dict(inputs=data['inputs']))
    assert made['inputs'].equal(expected['inputs'])
    assert [s.gt_label.tolist() for s in made['data_samples']] == [[3], [1],
                                                                   [0], [2]]


@pytest.mark.parametrize('channels_last, memory_format',
                         [(False, torch.contiguous_format),
                          (True, torch.channels_last)])
def test_the_memory_format_is_what_was_asked_for(channels_last, memory_format):
    preprocessor = BatchedClsDataPreprocessor(channels_last=channels_last)
    for training in (False, True):
        inputs = preprocessor(batch(), training)['inputs']
        assert inputs.is_contiguous(memory_format=memory_format)
        assert inputs.dtype == torch.float32


def test_only_training_images_are_augmented():
    preprocessor = BatchedClsDataPreprocessor(padding=0, flip_prob=1.)
    data = batch()
    assert preprocessor(data, False)['inputs'].equal(data['inputs'].float())
    assert preprocessor(data,
                        True)['inputs'].equal(data['inputs'].flip(3).float())
