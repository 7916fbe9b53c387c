# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Tuple

import cv2
import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class TwoDigitNumbers(BaseDataset):
    """Numbers 00 to 99 drawn with two handwritten digits; no download.

    The glyphs are the 1,797 8x8 images of scikit-learn's ``load_digits``
    (UCI Optical Recognition of Handwritten Digits). One is placed at random in
    the left and one in the right half of a 32x32 canvas, with noise over all.
    Training and test canvases share no glyph. As in CIFAR-100 there are 100
    classes, and each half shows one part of the answer.

    Args:
        split (str): 'train' or 'test'. Defaults to 'train'.
        num_samples (int): Number of canvases, the same of each class as far as
            it divides. Defaults to 3200.
        noise (float): Standard deviation of the noise, in grey levels of 255.
            Defaults to 32.
        seed (int): Seed of all canvases. Defaults to 0.
        **kwargs: Other arguments of :class:`mmpretrain.datasets.BaseDataset`.
    """
    METAINFO = {'classes': tuple(f'{number:02d}' for number in range(100))}

    def __init__(self,
                 split: str = 'train',
                 num_samples: int = 3200,
                 noise: float = 32.,
                 seed: int = 0,
                 **kwargs) -> None:
        if split not in ('train', 'test'):
            raise ValueError(f'split should be train or test, got "{split}".')
        self.split = split
        self.num_samples = num_samples
        self.noise = noise
        self.seed = seed
        # Canvases are made in memory; pickling them would only cost time.
        kwargs.setdefault('serialize_data', False)
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self) -> List[dict]:
        """Draw the canvases.

        Returns:
            list[dict]: ``img`` (32, 32, 3) uint8 and ``gt_label``.
        """
        glyphs, digits = self._load_glyphs()
        rng = np.random.default_rng([self.seed, self.split == 'test'])
        by_digit = [np.flatnonzero(digits == digit) for digit in range(10)]
        labels = np.arange(self.num_samples) % 100
        return [
            dict(
                img=self._draw([
                    glyphs[rng.choice(by_digit[d])] for d in divmod(label, 10)
                ], rng),
                gt_label=int(label)) for label in labels
        ]

    def _load_glyphs(self) -> Tuple[np.ndarray, np.ndarray]:
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise ImportError(
                'two-digit numbers are made of the digits of '
                'scikit-learn: pip install scikit-learn') from error
        data = load_digits()
        # Every fourth glyph is for testing.
        test = np.arange(len(data.target)) % 4 == 0
        chosen = test if self.split == 'test' else ~test
        return data.images[chosen] * (255 / 16), data.target[chosen]

    def _draw(self, glyphs: List[np.ndarray],
              rng: np.random.Generator) -> np.ndarray:
        canvas = np.zeros((32, 32))
        for half, glyph in enumerate(glyphs):
            size = rng.integers(13, 17)
            top = rng.integers(5, 12)
            left = 16 * half + rng.integers(0, 17 - size)
            canvas[top:top + size, left:left + size] = cv2.resize(
                glyph, (int(size), int(size)), interpolation=cv2.INTER_LINEAR)
        canvas += rng.normal(0, self.noise, canvas.shape)
        grey = canvas.clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)

    def extra_repr(self) -> List[str]:
        """The extra repr information of the dataset."""
        return [
            f'Split: \t{self.split}', f'Noise: \t{self.noise}',
            f'Seed: \t{self.seed}'
        ]
