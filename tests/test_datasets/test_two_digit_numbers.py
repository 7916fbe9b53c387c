# Copyright (c) gld_mm authors. All rights reserved.
import numpy as np
import pytest

sklearn = pytest.importorskip('sklearn')

from gld_mm.datasets import TwoDigitNumbers  # noqa: E402


def images(**kwargs):
    dataset = TwoDigitNumbers(**kwargs)
    return np.stack(
        [dataset.get_data_info(i)['img'] for i in range(len(dataset))])


def test_it_has_every_class_equally_often():
    dataset = TwoDigitNumbers(num_samples=300)
    assert np.bincount(dataset.get_gt_labels()).tolist() == [3] * 100
    assert dataset.CLASSES[7] == '07' and len(dataset.CLASSES) == 100


def test_a_canvas_is_a_32x32_colour_image():
    canvases = images(num_samples=10)
    assert canvases.shape == (10, 32, 32, 3) and canvases.dtype == np.uint8


def test_the_seed_decides_every_pixel():
    first, again, other = (
        images(num_samples=20, seed=seed) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


def test_training_and_test_canvases_share_no_glyph():
    train, test = (
        TwoDigitNumbers(split=split, num_samples=1)._load_glyphs()[0]
        for split in ('train', 'test'))
    assert len(train) + len(test) == 1797
    train, test = ({glyph.tobytes() for glyph in x} for x in (train, test))
    assert not train & test


def test_each_half_shows_its_own_digit():
    # Digits differ in how much ink they have. The ink of a half follows that
    # of its own digit's glyphs, and does not depend on the other digit.
    dataset = TwoDigitNumbers(num_samples=4000, noise=0.)
    labels = dataset.get_gt_labels()
    ink = np.stack([
        dataset.get_data_info(i)['img'][..., 0].reshape(32, 2, 16).mean((0, 2))
        for i in range(4000)
    ])
    glyphs, glyph_digits = dataset._load_glyphs()
    expected = [glyphs[glyph_digits == d].mean() for d in range(10)]
    for half, digits in enumerate((labels // 10, labels % 10)):
        own, other = ([ink[digits == d, h].mean() for d in range(10)]
                      for h in (half, 1 - half))
        assert np.corrcoef(own, expected)[0, 1] > 0.8
        assert np.std(other) < np.std(own) / 2


def test_another_split_is_an_error():
    with pytest.raises(ValueError, match='train or test, got "val"'):
        TwoDigitNumbers(split='val')
