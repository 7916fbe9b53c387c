# Copyright (c) gld_mm authors. All rights reserved.
from typing import Dict, List, Sequence, Union

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmpretrain.registry import DATASETS
from torch import Tensor
from torch.utils.data import Dataset


@DATASETS.register_module()
class InMemoryDataset(Dataset):
    """The images of another dataset as one tensor, handed out by the batch.

    For images so small that decoding and augmenting them one by one takes
    longer than the network's step. The dataloader asks for all indices of a
    batch at once and gets tensors, so it needs
    ``collate_fn=dict(type='torch.utils.data.default_convert')`` and no
    workers; :class:`BatchedClsDataPreprocessor` augments them on the device.

    Args:
        dataset (dict | BaseDataset): A classification dataset of mmpretrain.
            Its pipeline runs once for each image, so it should not be random:
            it loads, and resizes if the images are not of one size.

    Raises:
        ValueError: If the dataset is empty or the images are not of one size.
    """

    def __init__(self, dataset: Union[dict, BaseDataset]) -> None:
        source = (
            DATASETS.build(dataset) if isinstance(dataset, dict) else dataset)
        self.metainfo = source.metainfo
        images: List[np.ndarray] = []
        labels: List[int] = []
        for index in range(len(source)):
            sample = source[index]
            image = np.atleast_3d(sample['img'])  # of grey ones too
            if images and image.shape != images[0].shape:
                raise ValueError(
                    'InMemoryDataset needs images of one size, got '
                    f'{images[0].shape} and, of image {index}, '
                    f'{image.shape}: resize them in its pipeline.')
            images.append(image)
            labels.append(sample['gt_label'])
        if not images:
            raise ValueError('InMemoryDataset got a dataset without images.')
        self.images = torch.from_numpy(np.stack(images)).permute(
            0, 3, 1, 2).contiguous()
        self.labels = torch.tensor(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Union[int,
                                       Sequence[int]]) -> Dict[str, Tensor]:
        """Get one image or a batch.

        Args:
            index (int | Sequence[int]): Index, or B indices.

        Returns:
            dict[str, Tensor]: ``inputs`` (B, 3, H, W) uint8 and ``gt_label``
            (B, ).
        """
        return dict(inputs=self.images[index], gt_label=self.labels[index])

    # What torch's loader calls with all indices of a batch.
    __getitems__ = __getitem__
