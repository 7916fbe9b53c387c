# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list:
    """Requirements of ``requirements/<name>.txt`` without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    lines = (line.split('#')[0].strip() for line in lines)
    return [line for line in lines if line and not line.startswith('-')]


def version() -> str:
    scope: dict = {}
    exec((ROOT / 'gld_mm' / 'version.py').read_text(), scope)
    return scope['__version__']


setup(
    name='gld_mm',
    version=version(),
    description='Distilling Global and Local Logits with Densely Connected '
    'Relations (ICCV 2021) for OpenMMLab',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['gld_mm', 'gld_mm.*']),
    python_requires='>=3.10',
    install_requires=requirements('runtime'),
    extras_require={
        name: requirements(name)
        for name in ('demo', 'det', 'export', 'seg', 'tests')
    },
    classifiers=[
        'Programming Language :: Python :: 3',
        'License :: OSI Approved :: Apache Software License',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    zip_safe=False)
