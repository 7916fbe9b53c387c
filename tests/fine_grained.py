# Copyright (c) gld_mm authors. All rights reserved.
"""Lay images out as the published fine-grained datasets are."""
import shutil
from pathlib import Path
from typing import Dict, List, Tuple

import cv2
import numpy as np

# (image file, label from 0, whether it is for training)
Sample = Tuple[str, int, bool]


def noise(root: Path, classes: int = 3, number: int = 4) -> List[Sample]:
    """Small pictures, half of them for training."""
    rng = np.random.default_rng(0)
    root.mkdir(parents=True, exist_ok=True)
    samples = []
    for index in range(classes * number):
        path = root / f'{index}.jpg'
        cv2.imwrite(str(path), rng.integers(0, 256, (40, 50, 3), np.uint8))
        samples.append((str(path), index % classes, index < 2 * classes))
    return samples


def _copy(source: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def flowers102(root: Path, samples: List[Sample]) -> None:
    from scipy.io import savemat
    ids: Dict[str, list] = dict(trnid=[], valid=[], tstid=[])
    for number, (source, _, train) in enumerate(samples, 1):
        _copy(source, root / 'jpg' / f'image_{number:05d}.jpg')
        key = ('trnid', 'valid')[number % 2] if train else 'tstid'
        ids[key].append(number)
    labels = [label + 1 for _, label, _ in samples]
    savemat(root / 'imagelabels.mat', dict(labels=np.array([labels])))
    savemat(root / 'setid.mat', {k: np.array([v]) for k, v in ids.items()})


def cars196(root: Path, samples: List[Sample]) -> None:
    from scipy.io import savemat
    (root / 'devkit').mkdir(parents=True, exist_ok=True)
    for train, split, name in ((True, 'train', 'cars_train_annos'),
                               (False, 'test', 'cars_test_annos_withlabels')):
        rows = []
        for source, label, own in samples:
            if own == train:
                rows.append((label + 1, f'{len(rows) + 1:05d}.jpg'))
                _copy(source, root / f'cars_{split}' / rows[-1][1])
        annotations = np.array([rows], dtype=object)
        struct = np.empty((1, len(rows)), [('class', object),
                                           ('fname', object)])
        struct['class'] = annotations[..., 0]
        struct['fname'] = annotations[..., 1]
        savemat(root / 'devkit' / f'{name}.mat', dict(annotations=struct))


def dogs120(root: Path, samples: List[Sample]) -> None:
    from scipy.io import savemat
    for train, split in ((True, 'train'), (False, 'test')):
        files, labels = [], []
        for number, (source, label, own) in enumerate(samples):
            if own == train:
                synset = f'n{label:08d}'
                files.append(f'{synset}-Breed_{label}/{synset}_{number}.jpg')
                labels.append(label + 1)
                _copy(source, root / 'Images' / files[-1])
        # A cell array of one column, as MATLAB wrote it.
        cells = np.empty((len(files), 1), object)
        cells[:, 0] = files
        savemat(
            root / f'{split}_list.mat',
            dict(
                file_list=cells,
                annotation_list=cells,
                labels=np.array(labels)[:, None].astype(float)))


def cub200(root: Path, samples: List[Sample]) -> None:
    lines: Dict[str, list] = dict(
        images=[], image_class_labels=[], train_test_split=[])
    for number, (source, label, train) in enumerate(samples, 1):
        name = f'{label + 1:03d}.Bird/Bird_{number:04d}.jpg'
        _copy(source, root / 'images' / name)
        lines['images'].append(f'{number} {name}')
        lines['image_class_labels'].append(f'{number} {label + 1}')
        lines['train_test_split'].append(f'{number} {int(train)}')
    for name, content in lines.items():
        (root / f'{name}.txt').write_text('\n'.join(content) + '\n')


LAYOUTS = dict(
    flowers102=flowers102, cars196=cars196, dogs120=dogs120, cub200=cub200)
