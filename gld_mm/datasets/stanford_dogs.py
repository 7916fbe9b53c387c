# Copyright (c) gld_mm authors. All rights reserved.
from typing import List

import mat4py
import numpy as np
from mmengine import get_file_backend
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class StanfordDogs(BaseDataset):
    """The `Stanford Dogs <http://vision.stanford.edu/aditya86/ImageNetDogs>`_
    dataset, 120 breeds.

    After downloading and decompression of ``images.tar`` and ``lists.tar``: ::

        Stanford_Dogs
        ├── Images
        │   ├── n02085620-Chihuahua
        │   │   ├── n02085620_10074.jpg
        │   │   └── ...
        │   └── ...
        ├── train_list.mat
        └── test_list.mat

    Args:
        data_root (str): Folder of the above.
        split (str): 'train' (12,000 images) or 'test' (8,580).
            Defaults to 'train'.
        **kwargs: Other arguments of :class:`mmpretrain.datasets.BaseDataset`.
    """

    def __init__(self, data_root: str, split: str = 'train', **kwargs) -> None:
        if split not in ('train', 'test'):
            raise ValueError(f'split should be train or test, got "{split}".')
        self.backend = get_file_backend(data_root, enable_singleton=True)
        super().__init__(
            ann_file=f'{split}_list.mat',
            data_root=data_root,
            data_prefix='Images',
            test_mode=split == 'test',
            **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the list of the split.

        Returns:
            list[dict]: ``img_path`` and ``gt_label`` from 0.
        """
        content = mat4py.loadmat(self.ann_file)
        # MATLAB's cell and column arrays are lists of lists of one.
        files = np.ravel(content['file_list']).tolist()
        labels = (np.ravel(content['labels']).astype(int) - 1).tolist()
        # A folder is called n02085620-Chihuahua.
        names = {
            label: file.split('/')[0].split('-', 1)[1]
            for file, label in zip(files, labels)
        }
        self._metainfo.setdefault(
            'classes', tuple(names[label] for label in sorted(names)))
        return [
            dict(
                img_path=self.backend.join_path(self.img_prefix, file),
                gt_label=label) for file, label in zip(files, labels)
        ]
