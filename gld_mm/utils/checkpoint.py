# Copyright (c) gld_mm authors. All rights reserved.
import warnings
import zipfile
from pathlib import Path
from typing import Optional


def newest_checkpoint(work_dir: str) -> Optional[str]:
    """Find the newest whole checkpoint of a run.

    A run that is killed while it writes, or whose disk is full, leaves a file
    that is cut off. PyTorch's files are zip archives, whose index comes last,
    so one without an index is not whole.

    Args:
        work_dir (str): Folder of the run.

    Returns:
        str, optional: Path of ``epoch_N.pth`` or ``iter_N.pth`` with the
        largest N, without those that are cut off; None if there is none.
    """
    paths = [
        path for kind in ('epoch', 'iter')
        for path in Path(work_dir).glob(f'{kind}_*.pth')
        if path.stem.split('_')[1].isdigit()
    ]
    # Epochs and iterations do not compare; a run writes one kind.
    for path in sorted(
            paths, key=lambda p: int(p.stem.split('_')[1]), reverse=True):
        if zipfile.is_zipfile(path):
            return str(path)
        warnings.warn(f'{path} is cut off and skipped.')
    return None
