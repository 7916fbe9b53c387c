# Copyright (c) gld_mm authors. All rights reserved.
"""The metafiles agree with the configs, and the tables with the metafiles.

Entries of networks without a teacher are compared with their config, those of
distillation with the entries of their teacher and student: test_configs*.py
compares their configs.
"""
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import update_tables
import yaml
from modelindex.load_model_index import load as load_index

from .configs import ROOT as CONFIGS
from .configs import count, host_of, load, names, on_meta

ROOT = CONFIGS.parent
ZOO = ROOT / 'model_zoo'
TAUGHT = [n for n in names() if n.startswith(('kd/', 'gld/'))]
# Tables 5 and 6: a baseline with other first weights
MOVED = [n for n in names('mmdet', 'mmseg') if n.startswith('transfer/')]
PLAIN = [n for n in names() if n not in TAUGHT + MOVED]
DATA = dict(
    cifar100='CIFAR-100',
    stl10='STL-10',
    cinic10='CINIC-10',
    digits='noisy digits',
    in1k='ImageNet-1k',
    flowers102='Oxford 102 Flowers',
    cars196='Stanford Cars',
    dogs120='Stanford Dogs',
    cub200='CUB-200-2011',
    voc='PASCAL VOC 2007 and 2012',
    voc12aug='PASCAL VOC 2012 and SBD',
    coco='COCO 2017')
TASKS = {
    'ssd300': 'SSD300, ',
    'deeplabv3plus': 'DeepLabV3+, ',
    'deeplabv3plus-plain': 'DeepLabV3+, plain head, '
}


@lru_cache(None)
def index():
    """The entries as openmim reads them, by config below configs/."""
    model_index = load_index(str(ROOT / 'model-index.yml'))
    model_index.build_models_with_collections()
    return {
        model.config.removeprefix('configs/'): model
        for model in model_index.models if model.config.startswith('configs/')
    }


def metadata(name):
    return index()[name].metadata.data


def test_every_config_has_one_entry_and_every_entry_a_config():
    files = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    entries = [
        model['Config'] for path in files
        for model in yaml.safe_load((ROOT / path).read_text())['Models']
    ]
    runs = [str(path.relative_to(ROOT)) for path in ZOO.glob('*/*.py')]
    assert sorted(entries) == [f'configs/{name}'
                               for name in names()] + sorted(runs)


@pytest.mark.parametrize('name', names())
def test_an_entry_is_named_after_its_config_and_has_a_paper(name):
    model = index()[name]
    assert model.name == Path(name).stem
    folder = name.split('/')[0]
    assert model.in_collection == ('KD' if folder == 'kd' else 'GLD')
    # Only a run of the whole recipe is a result of its config.
    status = model.data['Status']
    assert (model.results is not None) == (status == 'reproduced')


def test_the_collections_have_a_readme():
    for collection in load_index(str(ROOT / 'model-index.yml')).collections:
        assert (ROOT / collection.readme).is_file()


@pytest.mark.parametrize('name', PLAIN)
def test_a_plain_entry_has_the_recipe_and_parameters_of_its_config(name):
    if find_spec(host_of(name)) is None:
        pytest.skip(f'{host_of(name)} is not installed')
    *task, network, data = Path(name).stem.split('_')
    cfg = load(name)
    network = re.sub('^r', 'ResNet-', re.sub('^wrn', 'WRN-', network))
    assert metadata(name) == {
        'Training Data': DATA[data],
        'Epochs': cfg.train_cfg.max_epochs,
        'Batch Size': cfg.auto_scale_lr.base_batch_size,
        'Learning Rate': cfg.optim_wrapper.optimizer.lr,
        'Architecture': ''.join(TASKS[t] for t in task) + network,
        'Parameters': count(on_meta(name))
    }


@pytest.mark.parametrize('name', TAUGHT)
def test_a_distillation_entry_agrees_with_its_teacher_and_student(name):
    stem = Path(name).stem.removeprefix('kd_')
    *task, teacher, student, data = stem.split('_')
    prefix = ''.join(f'{t}_' for t in task)
    teacher = f'baseline/{prefix}{teacher}_{data}.py'
    student = f'baseline/{prefix}{student}_{data}.py'
    expected = dict(metadata(student))
    expected['Student'] = expected.pop('Architecture')
    expected['Teacher'] = metadata(teacher)['Architecture']
    expected['Teacher Config'] = f'configs/{teacher}'
    expected['Student Config'] = f'configs/{student}'
    assert metadata(name) == expected


@pytest.mark.parametrize('name', MOVED)
def test_a_transferred_entry_agrees_with_the_network_of_its_name(name):
    stem = name.replace('transfer/', 'baseline/')
    teacher, student = (stem.replace('r18-gld', n) for n in ('r34', 'r18'))
    assert metadata(name) == {
        **metadata(student), 'Teacher Config': f'configs/{teacher}',
        'Student Config': f'configs/{student}'
    }


@pytest.mark.parametrize(
    'page', update_tables.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_tables_of_a_page_are_up_to_date(page):
    text = page.read_text()
    assert update_tables.render(page) == text, (
        'Run python tools/update_tables.py')
    # A table without rows has a pattern that no config matches.
    assert '|---|\n<!-- end' not in text


def test_the_tables_of_a_folder_and_of_the_map_have_every_config_once():
    pages = [
        CONFIGS / f / 'README.md'
        for f in ('baseline', 'kd', 'gld', 'transfer')
    ]
    for group in (pages, [ROOT / 'docs' / 'configs.md']):
        text = ''.join(page.read_text() for page in group)
        rows = re.findall(r'^\| \[(\S+\.py)\]', text, re.M)
        assert sorted(rows) == names()
