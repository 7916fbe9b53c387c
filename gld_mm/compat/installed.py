# Copyright (c) gld_mm authors. All rights reserved.
"""What has to be installed, and what cannot be installed beside it."""
import warnings
from importlib import metadata
from importlib.util import find_spec

# Packages of one line install into the same folder. pip does not know:
# mmcv-lite requires mmengine, and gets it beside onedl-mmengine.
_SAME_FOLDER = (
    ('mmcv', 'mmcv-lite', 'onedl-mmcv'),
    ('mmengine', 'onedl-mmengine'),
    ('mmpretrain', 'onedl-mmpretrain'),
    ('mmdet', 'onedl-mmdetection'),
    ('mmsegmentation', 'onedl-mmsegmentation'),
)


def check() -> None:
    """See that mmcv is there, and no package that overwrites another.

    Raises:
        ImportError: If there is no mmcv of any kind.
    """
    for names in _SAME_FOLDER:
        both = [name for name in names if _is_installed(name)]
        if len(both) > 1:
            warnings.warn(
                f'{" and ".join(both)} are both installed and overwrite each '
                f'other: pip uninstall {" ".join(both)}, then install one of '
                'them with --no-deps.')
    if find_spec('mmcv') is None:
        raise ImportError(
            'mmcv is not installed: pip install "mmcv-lite==2.1.0" (beside '
            'OneDL with --no-deps), or, for its compiled operators, build '
            'mmcv 2.1.0 (docs/stacks.md).')


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.distribution(name))
    except metadata.PackageNotFoundError:
        return False
