# Copyright (c) gld_mm authors. All rights reserved.
from typing import List

from mmengine.dist import barrier, is_main_process
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class STL10(BaseDataset):
    """`STL-10 <https://cs.stanford.edu/~acoates/stl10>`_, 96x96, 10 classes.

    Read, and downloaded (2.6 GB), by torchvision: ::

        data_root/
        └── stl10_binary/
            ├── train_X.bin  train_y.bin    5,000 images
            ├── test_X.bin   test_y.bin     8,000 images
            ├── unlabeled_X.bin             not used, but checked
            └── class_names.txt  fold_indices.txt

    Args:
        data_root (str): Folder of ``stl10_binary``.
        split (str): 'train' or 'test'. Defaults to 'train'.
        download (bool): Whether to download what is missing.
            Defaults to True.
        **kwargs: Other arguments of :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        FileNotFoundError: If the files are missing or damaged.
    """
    METAINFO = {
        'classes': ('airplane', 'bird', 'car', 'cat', 'deer', 'dog', 'horse',
                    'monkey', 'ship', 'truck')
    }

    def __init__(self,
                 data_root: str,
                 split: str = 'train',
                 download: bool = True,
                 **kwargs) -> None:
        if split not in ('train', 'test'):
            raise ValueError(f'split should be train or test, got "{split}".')
        self.split = split
        self.download = download
        # Images are in one array already; pickling them would copy them.
        kwargs.setdefault('serialize_data', False)
        super().__init__(ann_file='', data_root=data_root, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the images.

        Returns:
            list[dict]: ``img`` (96, 96, 3) uint8 RGB and ``gt_label``.
        """
        from torchvision.datasets import STL10 as Files
        try:
            if self.download and is_main_process():
                Files(self.data_root, self.split, download=True)
            barrier()
            files = Files(self.data_root, self.split)
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(
                f'No whole STL-10 in {self.data_root}/stl10_binary '
                f'({error}). Unpack stl10_binary.tar.gz of '
                'https://cs.stanford.edu/~acoates/stl10 there.') from error
        return [
            dict(img=image.transpose(1, 2, 0), gt_label=int(label))
            for image, label in zip(files.data, files.labels)
        ]
