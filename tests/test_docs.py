# Copyright (c) gld_mm authors. All rights reserved.
"""The documentation: links, the map of configs, the examples."""
import importlib
import re
from glob import glob
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'
PAGES = sorted([
    *ROOT.glob('*.md'), *DOCS.glob('*.md'), *ROOT.glob('configs/*/README.md')
])
LEAVES = sorted(
    str(path.relative_to(ROOT / 'configs'))
    for path in ROOT.glob('configs/*/*.py') if path.parent.name != '_base_')
# A file of an example: a block whose first line is its name, as a comment.
EXAMPLE = re.compile(r'^```python\n# (\w+\.py).*?^```', re.M | re.S)


def name(path):
    return str(path.relative_to(ROOT))


def prose(page):
    """A page without its code, whose brackets are no links."""
    text = re.sub(
        r'^( *)```.*?^\1```', '', page.read_text(), flags=re.M | re.S)
    return re.sub(r'`[^`\n]*`', '', text)


def anchors(page):
    """The anchors that a forge and the site give to headings."""
    text = re.sub(r'^```.*?^```', '', page.read_text(), flags=re.M | re.S)
    for heading in re.findall(r'^#+ (.*)$', text, flags=re.M):
        heading = re.sub(r'\[(.*?)\]\(.*?\)', r'\1', heading).lower()
        yield re.sub(r'[^\w\- ]', '', heading).replace(' ', '-')


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page):
    links = re.findall(r'\]\(([^)\s]+)\)', prose(page))
    for link in links:
        if '://' in link or link.startswith('mailto:'):
            continue
        path, _, anchor = link.partition('#')
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == '.md':
            assert anchor in anchors(target), link


@pytest.mark.parametrize('leaf', LEAVES)
def test_every_config_has_one_row_on_the_map(leaf):
    folder, file = leaf.split('/')
    text = (DOCS / 'configs.md').read_text()
    assert text.count(f'[{file}](../configs/{leaf})') == 1
    assert f'configs/{folder}' in text


def test_the_map_has_no_config_that_is_not_there():
    links = re.findall(r'\(\.\./configs/(\w+/[^)]*\.py)\)',
                       (DOCS / 'configs.md').read_text())
    assert {link for link in links if '_base_' not in link} == set(LEAVES)


@pytest.mark.parametrize(
    'page', [page for page in PAGES if page != DOCS / 'index.md'], ids=name)
def test_every_page_is_in_a_toctree(page):
    index = (DOCS / 'index.md').read_text()
    trees = re.findall(r'^```\{toctree\}\n(.*?)^```', index, re.M | re.S)
    entries = [
        Path(found).resolve() for tree in trees for line in tree.split()
        for found in glob(f'{DOCS}/{line}.*')
    ]
    assert page in entries


@pytest.fixture(scope='module')
def examples(tmp_path_factory):
    """The files of all examples, beside the configs that they inherit."""
    folder = tmp_path_factory.mktemp('examples')
    (folder / 'configs').symlink_to(ROOT / 'configs')
    for page in DOCS.glob('add_*.md'):
        for match in EXAMPLE.finditer(page.read_text()):
            lines = match.group().splitlines()[1:-1]
            path = folder / match.group(1)
            assert not path.exists(), f'{path.name} is there twice'
            path.write_text('\n'.join(lines) + '\n')
    return folder


def example_names():
    text = ''.join(page.read_text() for page in sorted(DOCS.glob('add_*.md')))
    return [
        match.group(1) for match in EXAMPLE.finditer(text)
        if '_base_ =' in match.group()
    ]


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
@pytest.mark.parametrize('file', example_names())
def test_an_example_is_a_config_whose_model_builds(examples, monkeypatch,
                                                   file):
    monkeypatch.syspath_prepend(str(examples))
    text = (examples / file).read_text()
    for host, sign in (('mmdet', 'ssd|retina'), ('mmseg', 'psp|fcn')):
        if re.search(sign, file + text):
            pytest.importorskip(host)
    cfg = Config.fromfile(examples / file)
    init_default_scope(cfg.default_scope)
    if 'teacher' in cfg.model:
        teacher = Config.fromfile(examples / cfg.model.teacher_config)
        cfg.model.teacher_ckpt = None
        networks = cfg.model.teacher, teacher.model
        for network in networks:
            network.setdefault('data_preprocessor',
                               cfg.get('data_preprocessor'))
        ours, theirs = (shapes(MODELS.build(n)) for n in networks)
        assert ours == theirs
    cfg.model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    assert list(MODELS.build(cfg.model).parameters())


def shapes(network):
    return {k: tuple(v.shape) for k, v in network.state_dict().items()}


def test_the_test_of_the_example_loss_passes(examples, monkeypatch):
    monkeypatch.syspath_prepend(str(examples))
    tests = vars(importlib.import_module('test_my_losses'))
    names = [name for name in tests if name.startswith('test_')]
    assert len(names) == 2
    for name in names:
        tests[name]()
