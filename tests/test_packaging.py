# Copyright (c) gld_mm authors. All rights reserved.
"""What pip makes of the checkout."""
import os
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ('gld_mm', 'configs', 'model_zoo', 'tools', 'requirements',
           'setup.py', 'setup.cfg', 'MANIFEST.in', 'README.md', 'LICENSE',
           'model-index.yml')
# What .gitignore names of that which a build leaves
IGNORED = ('build', 'dist', 'gld_mm.egg-info')

for name in ('pip', 'setuptools', 'wheel'):
    if find_spec(name) is None:
        pytest.skip(f'{name} is not installed', allow_module_level=True)


def run(*args, cwd, **env):
    result = subprocess.run([sys.executable, *map(str, args)],
                            cwd=cwd,
                            env=dict(os.environ, **env),
                            capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def files(folder):
    """Paths in a folder, but for those that git ignores."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob('*')
        if path.is_file() and path.relative_to(folder).parts[0] not in IGNORED
    }


def build_wheel(source, folder):
    run('-m',
        'pip',
        'wheel',
        source,
        '-w',
        folder,
        '--no-deps',
        '--no-build-isolation',
        '--no-index',
        cwd=folder)
    path, = folder.glob('*.whl')
    return path


def contents(wheel):
    """Files of the package in a wheel."""
    names = ZipFile(wheel).namelist()
    return {name for name in names if name.startswith('gld_mm/')}


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy of the sources, to build in."""
    folder = tmp_path_factory.mktemp('checkout')
    ignore = shutil.ignore_patterns('__pycache__', '.mim')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope='module')
def expected(checkout):
    """The package, and the rest where openmim and mmengine look for it."""
    rest = ('configs', 'model_zoo', 'tools', 'model-index.yml')
    return {
        name if name.startswith('gld_mm') else f'gld_mm/.mim/{name}'
        for name in files(checkout) if name.split('/')[0] in ('gld_mm', *rest)
    }


@pytest.fixture(scope='module')
def wheel(checkout, tmp_path_factory):
    """The wheel of the checkout, which the build leaves as it was."""
    before = files(checkout)
    path = build_wheel(checkout, tmp_path_factory.mktemp('wheel'))
    assert files(checkout) == before
    return path


def test_a_wheel_has_the_package_the_tools_the_configs_and_their_index(
        wheel, expected):
    wheel = contents(wheel)
    assert wheel == expected
    assert {
        'gld_mm/.mim/tools/train.py', 'gld_mm/.mim/tools/dist_train.sh',
        'gld_mm/.mim/configs/gld/r110_r20_cifar100.py',
        'gld_mm/.mim/configs/gld/metafile.yml', 'gld_mm/.mim/model-index.yml'
    } <= wheel


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """Run Python away from the checkout, with the wheel installed."""
    site = tmp_path_factory.mktemp('site')
    run('-m',
        'pip',
        'install',
        wheel,
        '--target',
        site,
        '--no-deps',
        '--no-index',
        cwd=site)

    def run_installed(*args, cwd):
        return run(*args, cwd=cwd, PYTHONPATH=str(site))

    run_installed.tools = site / 'gld_mm' / '.mim' / 'tools'
    return run_installed


def test_the_demo_finds_its_configs_in_an_installed_wheel(installed, tmp_path):
    output = installed(
        '-c',
        f'import sys; sys.path.insert(0, "{installed.tools}"); import demo; '
        'print(demo.ROOT, len(demo.make_runs()))',
        cwd=tmp_path)
    assert output.splitlines()[-1] == f'{installed.tools.parent} 4'


@pytest.mark.slow
def test_an_installed_wheel_reproduces_an_experiment(installed, tmp_path):
    pytest.importorskip('sklearn')
    data = tmp_path / 'data.py'
    data.write_text(f'''
_base_ = '{installed.tools.parent}/configs/_base_/datasets/cifar100_bs64.py'
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    _delete_=True, type='NoisyDigits', num_samples=64,
    classes=[str(i) for i in range(100)],
    pipeline=[dict(type='PackInputs')]))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    _delete_=True, type='NoisyDigits', num_samples=100, split='test',
    classes=[str(i) for i in range(100)],
    pipeline=[dict(type='PackInputs')]))
test_dataloader = val_dataloader
''')
    output = installed(
        installed.tools / 'reproduce.py',
        'b/baseline',
        '--epochs',
        1,
        '--data',
        data,
        cwd=tmp_path)
    assert 'b_baseline_seed0_1e: 1 epochs' in output
    assert list(tmp_path.rglob('epoch_1.pth'))
    assert list(tmp_path.rglob('result.json'))


def test_what_was_removed_is_not_in_the_next_wheel(checkout, expected,
                                                   tmp_path):
    for name in ('old.py', '.mim/configs/old.py'):
        left_over = Path(checkout, 'build/lib/gld_mm', name)
        left_over.parent.mkdir(parents=True, exist_ok=True)
        left_over.touch()
    assert contents(build_wheel(checkout, tmp_path)) == expected


def test_a_source_distribution_makes_the_same_wheel(checkout, expected,
                                                    tmp_path):
    run('setup.py', '-q', 'sdist', '-d', tmp_path, cwd=checkout)
    path, = tmp_path.glob('*.tar.gz')
    with tarfile.open(path) as archive:
        assert not any(n.endswith('.pyc') for n in archive.getnames())
    assert contents(build_wheel(path, tmp_path)) == expected


def test_an_editable_install_has_links(checkout, expected, tmp_path):
    (tmp_path / 'editable').mkdir()
    run('-c', 'import sys; from setuptools.build_meta import build_editable; '
        'build_editable(sys.argv[1])',
        tmp_path / 'editable',
        cwd=checkout)
    mim = checkout / 'gld_mm' / '.mim'
    for name in ('tools', 'configs', 'model-index.yml'):
        assert (mim / name).resolve() == checkout / name
    # They do not find their way into a wheel.
    assert contents(build_wheel(checkout, tmp_path)) == expected
