# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

from mmpretrain.datasets import CustomDataset
from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class CINIC10(CustomDataset):
    """`CINIC-10 <https://datashare.ed.ac.uk/handle/10283/3192>`_, 32x32.

    Three splits of 90,000 images in class folders: ::

        data_root/
        ├── train/airplane/*.png ... truck/*.png
        ├── valid/...
        └── test/...

    Args:
        data_root (str): Folder of the splits.
        split (str): 'train', 'valid' or 'test'. Defaults to 'train'.
        **kwargs: Other arguments of
            :class:`mmpretrain.datasets.CustomDataset`.

    Raises:
        FileNotFoundError: If a class folder is missing.
    """
    METAINFO = {
        'classes': ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog',
                    'frog', 'horse', 'ship', 'truck')
    }

    def __init__(self, data_root: str, split: str = 'train', **kwargs) -> None:
        if split not in ('train', 'valid', 'test'):
            raise ValueError('split should be train, valid or test, got '
                             f'"{split}".')
        for name in self.METAINFO['classes']:
            if not Path(data_root, split, name).is_dir():
                raise FileNotFoundError(
                    f'No CINIC-10 in {data_root}: the folder {split}/{name} '
                    'is missing. Unpack CINIC-10.tar.gz of '
                    'https://datashare.ed.ac.uk/handle/10283/3192 there.')
        super().__init__(data_root=data_root, data_prefix=split, **kwargs)
