# Copyright (c) gld_mm authors. All rights reserved.
import shutil
from pathlib import Path

import pytest
from mmengine.config import Config

from tests.fine_grained import LAYOUTS, noise

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.fixture(params=LAYOUTS)
def data(request, tmp_path):
    """The training set of a shipped config, with images of three classes."""
    cfg = Config.fromfile(CONFIGS / 'baseline' / f'r18_{request.param}.py')
    LAYOUTS[request.param](tmp_path / 'data', noise(tmp_path / 'images'))
    dataset = cfg.train_dataloader.dataset
    dataset.data_root = str(tmp_path / 'data')
    return dataset


def folders(root, *names):
    images = noise(root / 'images')
    for number, name in enumerate(names):
        (root / 'train' / name).mkdir(parents=True)
        shutil.copy(images[number][0], root / 'train' / name / 'x.jpg')
    (root / 'val').mkdir()
    return dict(type='CustomDataset', data_root=str(root / 'train'))


@pytest.fixture
def lines(monkeypatch):
    """The warnings that are logged."""
    found = []
    monkeypatch.setattr('gld_mm.datasets.checks.log.print_log',
                        lambda line, **kwargs: found.append(line))
    return found
