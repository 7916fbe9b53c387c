# Copyright (c) gld_mm authors. All rights reserved.
from typing import List, Tuple

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class NoisyDigits(BaseDataset):
    """Images of four handwritten digits in heavy noise; no download.

    The glyphs are the 1,797 8x8 images of scikit-learn's ``load_digits``
    (UCI Optical Recognition of Handwritten Digits). Three quarters of a 16x16
    canvas show glyphs of the label and one shows a random glyph. Noise is
    added to all of it, so that each quarter is weak evidence of the label.
    Training and test canvases share no glyph.

    Args:
        split (str): 'train' or 'test'. Defaults to 'train'.
        num_samples (int): Number of canvases, the same of each class as far as
            it divides. Defaults to 960.
        noise (float): Standard deviation of the noise, in grey levels of 255.
            Defaults to 96.
        seed (int): Seed of all canvases. Defaults to 0.
        **kwargs: Other arguments of :class:`mmpretrain.datasets.BaseDataset`.
    """
    METAINFO = {'classes': tuple('0123456789')}

    def __init__(self,
                 split: str = 'train',
                 num_samples: int = 960,
                 noise: float = 96.,
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
            list[dict]: ``img`` (16, 16, 3) uint8 and ``gt_label``.
        """
        glyphs, digits = self._load_glyphs()
        rng = np.random.default_rng([self.seed, self.split == 'test'])
        by_digit = [glyphs[digits == digit] for digit in range(10)]
        labels = np.arange(self.num_samples) % 10
        return [
            dict(
                img=self._draw(
                    np.concatenate([
                        rng.choice(by_digit[label], 3),
                        rng.choice(glyphs, 1)
                    ]), rng),
                gt_label=int(label)) for label in labels
        ]

    def _load_glyphs(self) -> Tuple[np.ndarray, np.ndarray]:
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise ImportError(
                'noisy digits are made of the digits of '
                'scikit-learn: pip install scikit-learn') from error
        data = load_digits()
        # Every fourth glyph is for testing.
        test = np.arange(len(data.target)) % 4 == 0
        chosen = test if self.split == 'test' else ~test
        return data.images[chosen] * (255 / 16), data.target[chosen]

    def _draw(self, glyphs: np.ndarray,
              rng: np.random.Generator) -> np.ndarray:
        quarters = rng.permutation(glyphs).reshape(2, 2, 8, 8)
        canvas = quarters.swapaxes(1, 2).reshape(16, 16)
        canvas = canvas + rng.normal(0, self.noise, canvas.shape)
        grey = canvas.clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
