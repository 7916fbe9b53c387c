# Copyright (c) gld_mm authors. All rights reserved.
"""The published weights are those of the table, and as good as it says."""
import hashlib
import json
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, RUNNERS, init_default_scope

from gld_mm.config import student_of
from gld_mm.engine.checkpoint import load_checkpoint

ZOO = Path(__file__).parents[1] / 'model_zoo'
DATA = ZOO.parent / 'data' / 'folders' / 'test'
RUNS = sorted(path.parent for path in ZOO.glob('*/*.pth'))

pytestmark = pytest.mark.parametrize('run', RUNS, ids=lambda run: run.name)


def files(run):
    """Config, log and weights of a run."""
    weights, = run.glob('*.pth')
    return run / f'{run.name}.py', run / f'{run.name}.json', weights


def accuracies(run):
    """Top-1 after each epoch, of the log."""
    lines = map(json.loads, files(run)[1].read_text().splitlines())
    return [x['accuracy/top1'] for x in lines if 'accuracy/top1' in x]


def test_the_name_of_the_weights_has_their_hash(run):
    weights = files(run)[2]
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert weights.stem == f'{run.name}-{digest[:8]}'


def test_the_weights_are_of_the_network_of_the_config(run):
    config, _, weights = files(run)
    cfg = student_of(Config.fromfile(config))
    init_default_scope(cfg.default_scope)
    load_checkpoint(MODELS.build(cfg.model), str(weights))


def test_the_table_has_the_last_and_the_best_epoch_of_the_log(run):
    top1 = accuracies(run)
    cfg = Config.fromfile(files(run)[0])
    assert len(top1) == cfg.train_cfg.max_epochs
    table = (ZOO / 'README.md').read_text()
    row, = re.findall(rf'^\| \[{run.name}\].*', table, re.M)
    assert f'| {top1[-1]:.2f} | {max(top1):.2f} |' in row
    assert all(path.name in row for path in files(run))


@pytest.mark.skipif(not DATA.is_dir(), reason='CIFAR-100 is not there')
def test_the_weights_have_the_accuracy_of_the_last_epoch(run, tmp_path):
    config, _, weights = files(run)
    cfg = student_of(Config.fromfile(config))
    cfg.data_preprocessor.to_rgb = True  # Files are read as BGR.
    cfg.test_dataloader.dataset = dict(
        type='CustomDataset',
        data_root=str(DATA),
        pipeline=[dict(type='LoadImageFromFile'),
                  dict(type='PackInputs')])
    cfg.update(load_from=str(weights), work_dir=str(tmp_path))
    metrics = RUNNERS.build(cfg).test()
    assert metrics['accuracy/top1'] == pytest.approx(
        accuracies(run)[-1], abs=0.02)
