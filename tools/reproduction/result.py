# Copyright (c) gld_mm authors. All rights reserved.
import hashlib
import json
import os
import platform
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import List

import mmengine
import mmpretrain
import mmrazor
import torch

import gld_mm

from .run import Run

_PACKAGES = (torch, mmengine, mmpretrain, mmrazor, gld_mm)


def save_result(run: Run, jobs: int) -> None:
    """Write ``result.json`` of a finished run; `jobs` shared the machine."""
    top1, top5 = run.curve(), run.curve('accuracy/top5')

    def metrics(epoch: int) -> dict:
        return dict(
            top1=top1[epoch - 1], epoch=epoch) | (
                dict(top5=top5[epoch - 1]) if top5 else {})

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else \
        f'CPU, {os.cpu_count()} cores, {jobs} jobs'
    versions = {package.__name__: package.__version__ for package in _PACKAGES}
    result = dict(
        experiment=run.experiment.name,
        config=run.experiment.config,
        options=run.experiment.options,
        seed=run.seed,
        epochs=run.epochs,
        full_epochs=run.full_epochs,
        shortened=run.shortened,
        data=run.data,
        depends_on=run.depends_on and run.depends_on.name,
        teacher_epochs=run.depends_on and run.depends_on.epochs,
        last=metrics(run.epochs),
        best=metrics(top1.index(max(top1)) + 1),
        curve=top1,
        seconds=round(_seconds(run.work_dir)),
        device=device,
        versions=dict(versions, python=platform.python_version()),
        weights=hash_weights(run.checkpoint),
        fingerprint=run.fingerprint)
    temporary = run.result.with_suffix('.tmp')
    temporary.write_text(json.dumps(result, indent=1) + '\n')
    temporary.replace(run.result)  # whole or not at all


def load_results(folder: Path) -> List[List[dict]]:
    """Read the results of all runs in a folder.

    Args:
        folder (Path): Where the folders of the runs are.

    Returns:
        list[list[dict]]: Those of each experiment, number of epochs and number
        of the teacher's epochs; seeds in order.
    """

    def kind(result: dict) -> tuple:
        return (result['experiment'], result['epochs'],
                result['teacher_epochs'] or 0)

    paths = Path(folder).glob('*/result.json')
    results = [json.loads(path.read_text()) for path in paths]
    results.sort(key=lambda result: (*kind(result), result['seed']))
    return [list(group) for _, group in groupby(results, kind)]


def hash_weights(checkpoint: Path) -> str:
    """Hash names and values of the weights, not what else a file holds."""
    digest = hashlib.sha256()
    state = torch.load(checkpoint, 'cpu', weights_only=True)['state_dict']
    for name, value in sorted(state.items()):
        digest.update(name.encode())
        digest.update(value.contiguous().view(-1).view(
            torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:8]


def _seconds(work_dir: Path) -> float:
    """Time from each start to the last line of its log."""
    return sum(
        path.stat().st_mtime -
        datetime.strptime(path.parents[1].name, '%Y%m%d_%H%M%S').timestamp()
        for path in work_dir.glob('*/vis_data/scalars.json'))
