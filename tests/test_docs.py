# Copyright (c) gld_mm authors. All rights reserved.
"""The documentation: its links, paths and examples."""
import ast
import importlib
import re
from itertools import product
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'
# Those of the site
PATTERNS, = [
    ast.literal_eval(node.value)
    for node in ast.parse((DOCS / 'conf.py').read_text()).body
    if ast.unparse(node).startswith('include_patterns')
]
PAGES = sorted(
    path for pattern in PATTERNS for path in ROOT.glob(pattern)
    if path.suffix == '.md')
BLOCK = re.compile(r'^( *)```.*?^\1```', re.M | re.S)
# The first line of an example names its file.
EXAMPLE = re.compile(r'^```python\n# (\w+\.py).*?^```', re.M | re.S)
FOLDERS = 'configs|docs|gld_mm|requirements|tests|tools'
# A path may be in braces or with a star, as a shell expands it.
REPO_PATH = re.compile(rf'(?<![\w./-])(?:{FOLDERS})/[\w./*{{}},-]*[\w}}*/]')


def name(path):
    return str(path.relative_to(ROOT))


def anchors(page):
    """The anchors that GitHub and the site give to headings."""
    for heading in re.findall(r'^#+ (.*)$', BLOCK.sub('', page.read_text()),
                              re.M):
        heading = re.sub(r'\[(.*?)\]\(.*?\)', r'\1', heading).lower()
        yield re.sub(r'[^\w\- ]', '', heading).replace(' ', '-')


def expand_braces(path):
    parts = [
        part.strip('{}').split(',') for part in re.split(r'({[^}]*})', path)
    ]
    return map(''.join, product(*parts))


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page):
    prose = re.sub(r'`[^`\n]*`', '', BLOCK.sub('', page.read_text()))
    for link in re.findall(r'\]\(([^)\s]+)\)', prose):
        if '://' in link or link.startswith('mailto:'):
            continue
        path, _, anchor = link.partition('#')
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.suffix != '.md' or target in PAGES, link
        if anchor and target.suffix == '.md':
            assert anchor in anchors(target), link


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_every_path_in_a_command_or_in_code_exists(page):
    text = page.read_text()
    code = [match.group() for match in BLOCK.finditer(text)]
    code += re.findall(r'`[^`]+`', BLOCK.sub('', text))
    for found in REPO_PATH.findall('\n'.join(code)):
        if re.search(r'/[A-Z]+\b(?!\.md)', found):  # a placeholder
            continue
        for path in expand_braces(found):
            assert any(ROOT.glob(path)), path


@pytest.mark.parametrize(
    'page', [page for page in PAGES if page != DOCS / 'index.md'], ids=name)
def test_every_page_is_in_a_toctree(page):
    trees = re.findall(r'^```\{toctree\}\n(.*?)^```',
                       (DOCS / 'index.md').read_text(), re.M | re.S)
    assert page in [
        found.resolve() for tree in trees for line in tree.split()
        for found in DOCS.glob(f'{line}.*')
    ]


def test_the_configs_in_the_readme_are_those_of_the_repository():
    shown = re.findall(r'`(configs/\S+\.py)`:\n\n```python\n(.*?)```',
                       (ROOT / 'README.md').read_text(), re.S)
    assert len(shown) == 2
    for path, code in shown:
        assert ast.dump(ast.parse(code)) == ast.dump(
            ast.parse((ROOT / path).read_text())), path


@pytest.fixture(scope='module')
def examples(tmp_path_factory):
    """The files of all examples, next to the configs that they inherit."""
    folder = tmp_path_factory.mktemp('examples')
    (folder / 'configs').symlink_to(ROOT / 'configs')
    for page in DOCS.glob('add_*.md'):
        for match in EXAMPLE.finditer(page.read_text()):
            path = folder / match.group(1)
            assert not path.exists(), f'{path.name} is there twice'
            path.write_text('\n'.join(match.group().splitlines()[1:-1]))
    return folder


def example_configs():
    text = ''.join(page.read_text() for page in sorted(DOCS.glob('add_*.md')))
    return [
        match.group(1) for match in EXAMPLE.finditer(text)
        if '_base_ =' in match.group()
    ]


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
@pytest.mark.parametrize('file', example_configs())
def test_an_example_is_a_config_whose_model_builds(examples, monkeypatch,
                                                   file):
    monkeypatch.syspath_prepend(str(examples))
    text = (examples / file).read_text()
    for host, sign in (('mmdet', 'ssd|retina'), ('mmseg', 'psp|fcn')):
        if re.search(sign, file + text):
            pytest.importorskip(host)
    cfg = Config.fromfile(examples / file)
    init_default_scope(cfg.default_scope)
    cfg.model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    if 'teacher' in cfg.model:
        cfg.model.teacher_ckpt = None
        teacher = Config.fromfile(examples / cfg.model.teacher_config)
        assert shapes(cfg.model.teacher) == shapes(teacher.model)
    assert list(MODELS.build(cfg.model).parameters())


def shapes(network):
    weights = MODELS.build(network).state_dict()
    return {k: tuple(v.shape) for k, v in weights.items()}


def test_the_tests_of_the_example_loss_pass(examples, monkeypatch):
    monkeypatch.syspath_prepend(str(examples))
    tests = vars(importlib.import_module('test_my_losses'))
    names = [name for name in tests if name.startswith('test_')]
    assert len(names) == 2
    for name in names:
        tests[name]()
