# Copyright (c) gld_mm authors. All rights reserved.
"""What pip makes of the checkout."""
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ('gld_mm', 'configs', 'tools', 'requirements', 'setup.py',
           'setup.cfg', 'MANIFEST.in', 'README.md', 'LICENSE',
           'model-index.yml')
# What .gitignore names of that which a build leaves
IGNORED = ('build', 'dist', 'gld_mm.egg-info')

for name in ('pip', 'setuptools', 'wheel'):
    if find_spec(name) is None:
        pytest.skip(f'{name} is not installed', allow_module_level=True)


def run(*args, cwd):
    result = subprocess.run([sys.executable, *map(str, args)],
                            cwd=cwd,
                            capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stdout + result.stderr


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
    return {
        name
        for name in ZipFile(path).namelist() if name.startswith('gld_mm/')
    }


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
    rest = ('configs', 'tools', 'model-index.yml')
    return {
        name if name.startswith('gld_mm') else f'gld_mm/.mim/{name}'
        for name in files(checkout) if name.split('/')[0] in ('gld_mm', *rest)
    }


def test_a_wheel_has_the_package_the_tools_the_configs_and_their_index(
        checkout, expected, tmp_path):
    before = files(checkout)
    wheel = build_wheel(checkout, tmp_path)
    assert wheel == expected
    assert {
        'gld_mm/.mim/tools/train.py', 'gld_mm/.mim/tools/dist_train.sh',
        'gld_mm/.mim/configs/gld/r110_r20_cifar100.py',
        'gld_mm/.mim/configs/gld/metafile.yml', 'gld_mm/.mim/model-index.yml'
    } <= wheel
    assert files(checkout) == before


def test_a_config_that_was_removed_is_not_in_the_next_wheel(
        checkout, expected, tmp_path):
    left_over = Path(checkout, 'build/lib/gld_mm/.mim/configs/old.py')
    left_over.parent.mkdir(parents=True, exist_ok=True)
    left_over.touch()
    assert build_wheel(checkout, tmp_path) == expected


def test_a_source_distribution_makes_the_same_wheel(checkout, expected,
                                                    tmp_path):
    run('setup.py', '-q', 'sdist', '-d', tmp_path, cwd=checkout)
    path, = tmp_path.glob('*.tar.gz')
    with tarfile.open(path) as archive:
        assert not any(n.endswith('.pyc') for n in archive.getnames())
    assert build_wheel(path, tmp_path) == expected


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
    assert build_wheel(checkout, tmp_path) == expected
