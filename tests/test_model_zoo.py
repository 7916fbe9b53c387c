# Copyright (c) gld_mm authors. All rights reserved.
"""The published weights are those of the table, and as good as it says."""
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, RUNNERS, init_default_scope
from modelindex.load_model_index import load as load_index

from gld_mm.config import student_of
from gld_mm.engine.checkpoint import load_checkpoint

ZOO = Path(__file__).parents[1] / 'model_zoo'
DATA = ZOO.parent / 'data' / 'folders' / 'test'
RUNS = sorted(path.parent for path in ZOO.glob('*/*.py'))

pytestmark = pytest.mark.parametrize('run', RUNS, ids=lambda run: run.name)


@lru_cache(None)
def index():
    """Entries of the runs, as openmim reads them, by name."""
    metafile = ZOO.parent / 'model-index.yml'
    model_index = load_index(str(metafile))
    model_index.build_models_with_collections()
    return {
        model.name: model
        for model in model_index.models
        if model.config.startswith('model_zoo/')
    }


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


def test_the_table_and_the_index_have_the_accuracy_of_the_log(run):
    top1 = accuracies(run)
    cfg = Config.fromfile(files(run)[0])
    assert len(top1) == cfg.train_cfg.max_epochs
    results, = index()[run.name].results
    assert results.metrics['Top 1 Accuracy'] == round(top1[-1], 2)
    table = (ZOO / 'README.md').read_text()
    row, = re.findall(rf'^\| .*\({run.name}/.*', table, re.M)
    assert f'| {top1[-1]:.2f} | {max(top1):.2f} |' in row


def test_the_index_has_the_files_of_the_run(run):
    entry = index()[run.name]
    named = (entry.config, entry.data['Training Log'], entry.weights)
    assert [ZOO.parent / name for name in named] == list(files(run))
    recipe = Config.fromfile(ZOO.parent / entry.metadata.data['Recipe'])
    trained = Config.fromfile(files(run)[0])
    assert trained.train_cfg.max_epochs == entry.metadata.data['Epochs']
    assert trained.randomness.seed == entry.metadata.data['Seed']
    if 'teacher_ckpt' in trained.model:
        assert Path(trained.model.teacher_ckpt).is_file()
    # The schedule is shorter, nothing else is.
    for cfg in (recipe, trained):
        for key in ('train_cfg', 'param_scheduler', 'randomness', 'work_dir'):
            cfg.pop(key, None)
        cfg.model.pop('teacher_ckpt', None)
    assert trained.to_dict() == recipe.to_dict()


@pytest.mark.slow
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
