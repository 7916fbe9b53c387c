# Copyright (c) gld_mm authors. All rights reserved.
"""What model-index.yml and the tables of configs/*/README.md say is true.

Entries of networks without a teacher are compared with their config, those of
distillation with the entries of their teacher and student: that the configs
agree is tested in test_configs*.py.
"""
import importlib.util
import re
from functools import lru_cache
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from modelindex.load_model_index import load

ROOT = Path(__file__).parents[1]
FOLDERS = ('teachers', 'baseline', 'kd', 'gld', 'ablation', 'transfer')
CONFIGS = sorted(f'configs/{folder}/{path.name}' for folder in FOLDERS
                 for path in (ROOT / 'configs' / folder).glob('*.py'))
TAUGHT = [c for c in CONFIGS if Path(c).parts[1] in ('kd', 'gld', 'ablation')]
# Tables 5 and 6 are a baseline or teacher with other first weights.
MOVED = [c for c in CONFIGS if 'transfer' in c and re.search('ssd|deeplab', c)]
PLAIN = [c for c in CONFIGS if c not in TAUGHT + MOVED]
DATA = dict(
    cifar100='CIFAR-100',
    stl10='STL-10',
    cinic10='CINIC-10',
    digits='two-digit numbers',
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
HOSTS = dict(ssd300='mmdet', deeplabv3plus='mmseg')


@lru_cache(None)
def index():
    """The entries as openmim reads them, by config."""
    model_index = load(str(ROOT / 'model-index.yml'))
    model_index.build_models_with_collections()
    return {model.config: model for model in model_index.models}


def metadata(config):
    return index()[config].metadata.data


def test_every_config_has_one_entry_and_every_entry_a_config():
    files = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    entries = [
        model['Config'] for path in files
        for model in yaml.safe_load((ROOT / path).read_text())['Models']
    ]
    assert sorted(entries) == CONFIGS


@pytest.mark.parametrize('config', CONFIGS)
def test_an_entry_is_named_after_its_config_and_has_a_paper(config):
    model = index()[config]
    folder, stem = Path(config).parts[1], Path(config).stem
    assert model.name == f'{folder}_{stem}'
    assert model.in_collection == ('KD' if folder == 'kd' else 'GLD')


def test_the_collections_have_a_readme():
    for collection in load(str(ROOT / 'model-index.yml')).collections:
        assert (ROOT / collection.readme).is_file()


@pytest.mark.parametrize('config', PLAIN)
def test_a_plain_entry_has_the_recipe_and_parameters_of_its_config(config):
    *task, network, data = Path(config).stem.split('_')
    host = HOSTS.get(task[0].split('-')[0]) if task else 'mmpretrain'
    if importlib.util.find_spec(host) is None:
        pytest.skip(f'{host} is not installed')
    cfg = Config.fromfile(ROOT / config)
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    network = re.sub('^r', 'ResNet-', re.sub('^wrn', 'WRN-', network))
    assert metadata(config) == {
        'Training Data': DATA[data],
        'Epochs': cfg.train_cfg.max_epochs,
        'Batch Size': cfg.auto_scale_lr.base_batch_size,
        'Architecture': ''.join(TASKS[t] for t in task) + network,
        'Parameters': sum(p.numel() for p in model.parameters())
    }


@pytest.mark.parametrize('config', TAUGHT)
def test_a_distillation_entry_agrees_with_its_teacher_and_student(config):
    *task, teacher, student, data = Path(config).stem.split('_')
    prefix = ''.join(f'{t}_' for t in task if t in TASKS)
    teacher = f'configs/teachers/{prefix}{teacher}_{data}.py'
    expected = dict(metadata(f'configs/baseline/{prefix}{student}_{data}.py'))
    expected['Student'] = expected.pop('Architecture')
    expected['Teacher'] = metadata(teacher)['Architecture']
    expected['Teacher Config'] = teacher
    assert metadata(config) == expected


@pytest.mark.parametrize('config', MOVED)
def test_a_transferred_entry_agrees_with_the_network_of_its_name(config):
    folder = 'teachers' if '_r34_' in config else 'baseline'
    same = config.replace('transfer', folder).replace('-gld', '')
    assert metadata(config) == metadata(same)


def expand(name):
    """Names of a pattern such as ``{a,b}_c{,-d}.py``, as a shell does."""
    braces = re.search('{([^}]*)}', name)
    if not braces:
        return [name]
    return [
        full for choice in braces[1].split(',')
        for full in expand(name[:braces.start()] + choice +
                           name[braces.end():])
    ]


@lru_cache(None)
def map_of_configs():
    """The status of each config in docs/configs.md."""
    rows = re.findall(r'\]\(\.\./(configs/\S+\.py)\).*\| \[?(\w+)[^|]*\|$',
                      (ROOT / 'docs' / 'configs.md').read_text(), re.M)
    return dict(rows)


@pytest.mark.parametrize('folder', FOLDERS)
def test_the_table_of_a_folder_has_every_config_once_with_its_status(folder):
    readme = (ROOT / 'configs' / folder / 'README.md').read_text()
    rows = re.findall(r'^\| `([^`]*\.py)` \|.*\| (\w+) \|$', readme, re.M)
    status = [(f'configs/{folder}/{name}', word) for pattern, word in rows
              for name in expand(pattern)]
    assert sorted(config for config, _ in status) == [
        config for config in CONFIGS if Path(config).parts[1] == folder
    ]
    for config, word in status:
        assert map_of_configs()[config] == word
        # Only a run of the whole recipe is a result of its config.
        assert (index()[config].results is not None) == (word == 'reproduced')
