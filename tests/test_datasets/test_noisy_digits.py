# Copyright (c) gld_mm authors. All rights reserved.
import numpy as np
import pytest

sklearn = pytest.importorskip('sklearn')

from gld_mm.datasets import NoisyDigits  # noqa: E402


def images(**kwargs):
    dataset = NoisyDigits(**kwargs)
    return np.stack(
        [dataset.get_data_info(i)['img'] for i in range(len(dataset))])


def test_it_has_every_class_equally_often():
    dataset = NoisyDigits(num_samples=300)
    assert np.bincount(dataset.get_gt_labels()).tolist() == [30] * 10
    assert dataset.CLASSES[7] == '7' and len(dataset.CLASSES) == 10


def test_a_canvas_is_a_16x16_colour_image():
    canvases = images(num_samples=10)
    assert canvases.shape == (10, 16, 16, 3) and canvases.dtype == np.uint8


def test_the_seed_decides_every_pixel():
    first, again, other = (
        images(num_samples=20, seed=seed) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


def test_training_and_test_canvases_share_no_glyph():
    train, test = (
        NoisyDigits(split=split, num_samples=1)._load_glyphs()[0]
        for split in ('train', 'test'))
    assert len(train) + len(test) == 1797
    train, test = ({glyph.tobytes() for glyph in x} for x in (train, test))
    assert not train & test


def test_three_quarters_show_the_label_and_one_any_digit():
    digits = sklearn.datasets.load_digits()
    glyphs = (digits.images * (255 / 16)).astype(np.uint8)
    shown = {g.tobytes(): d for g, d in zip(glyphs, digits.target)}
    dataset = NoisyDigits(num_samples=400, noise=0.)
    odd = np.zeros((2, 2), int)  # where, in the images that show another digit
    for index in range(400):
        info = dataset.get_data_info(index)
        found = np.array([[
            shown[info['img'][i:i + 8, j:j + 8, 0].tobytes()] for j in (0, 8)
        ] for i in (0, 8)])
        others = found != info['gt_label']
        assert others.sum() <= 1
        odd += others
    # Nine of ten canvases have one, in any quarter alike.
    assert 330 < odd.sum() < 390 and odd.min() > 60


def test_noise_has_the_spread_that_is_asked_for():
    noisy, clean = (
        images(num_samples=400, noise=noise).astype(float)
        for noise in (8., 0.))
    # Where grey values are far from 0 and 255, no noise is cut off.
    inside = (clean > 60) & (clean < 195)
    assert np.std((noisy - clean)[inside]) == pytest.approx(8, rel=0.05)


def test_another_split_is_an_error():
    with pytest.raises(ValueError, match='train or test, got "val"'):
        NoisyDigits(split='val')
