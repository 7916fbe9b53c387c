# Copyright (c) gld_mm authors. All rights reserved.
import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.develop import develop

ROOT = Path(__file__).resolve().parent


def requirements(name: str) -> list:
    """Requirements of ``requirements/<name>.txt`` without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    lines = (line.split('#')[0].strip() for line in lines)
    return [line for line in lines if line and not line.startswith('-')]


def version() -> str:
    scope: dict = {}
    exec((ROOT / 'gld_mm' / 'version.py').read_text(), scope)
    return scope['__version__']


def add_mim(package: Path, link: bool = False) -> None:
    """Put tools, configs, weights and their index into ``.mim``.

    In this folder of an installed package openmim and mmengine look for them.
    """
    mim = package / '.mim'
    shutil.rmtree(mim, ignore_errors=True)
    mim.mkdir()
    for name in ('tools', 'configs', 'model_zoo', 'model-index.yml'):
        source, target = ROOT / name, mim / name
        if link:
            os.symlink(os.path.relpath(source, mim), target, source.is_dir())
        elif source.is_dir():
            shutil.copytree(
                source,
                target,
                ignore=shutil.ignore_patterns('__pycache__', '.*'))
        else:
            shutil.copy2(source, target)


class BuildPy(build_py):
    """A wheel gets copies, an editable install links into the checkout."""

    def run(self) -> None:
        if getattr(self, 'editable_mode', False):
            super().run()
            add_mim(ROOT / 'gld_mm', link=True)
            return
        package = Path(self.build_lib, 'gld_mm')
        shutil.rmtree(package, ignore_errors=True)  # of an earlier wheel
        super().run()
        add_mim(package)


class Develop(develop):
    """An editable install by an older pip, which runs no ``build_py``."""

    def run(self) -> None:
        super().run()
        add_mim(ROOT / 'gld_mm', link=True)


setup(
    name='gld_mm',
    version=version(),
    description='Distilling Global and Local Logits with Densely Connected '
    'Relations (ICCV 2021) for OpenMMLab',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['gld_mm', 'gld_mm.*']),
    cmdclass=dict(build_py=BuildPy, develop=Develop),
    python_requires='>=3.10',
    install_requires=requirements('runtime') + requirements('hosts'),
    extras_require={
        name: requirements(name)
        for name in ('demo', 'det', 'export', 'seg', 'tests')
    },
    classifiers=[
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    zip_safe=False)
