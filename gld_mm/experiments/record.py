# Copyright (c) gld_mm authors. All rights reserved.
import os
import platform

import mmengine
import mmpretrain
import mmrazor
import torch

from ..version import __version__
from .run import Run


def record_of(run: Run, jobs: int) -> dict:
    """What is written down of a finished run.

    Args:
        run (Run): A run whose last checkpoint is there.
        jobs (int): How many runs shared the machine.

    Returns:
        dict: A line of :class:`Results`.
    """
    top1 = run.curve()
    top5 = run.curve('accuracy/top5')
    best = max(range(len(top1)), key=top1.__getitem__)
    gpu = torch.cuda.is_available()

    def metrics(epoch: int) -> dict:
        found = dict(top1=top1[epoch], epoch=epoch % len(top1) + 1)
        return dict(found, top5=top5[epoch]) if top5 else found

    return dict(
        cell=run.cell.name,
        config=run.cell.config,
        seed=run.seed,
        epochs=run.epochs,
        full_epochs=run.full_epochs,
        shortened=run.shortened,
        last=metrics(-1),
        best=metrics(best),
        needs=run.needs and run.needs.name,
        needs_epochs=run.needs and run.needs.epochs,
        seconds=round(run.seconds()),
        device=torch.cuda.get_device_name()
        if gpu else f'CPU, {os.cpu_count()} cores, {jobs} jobs',
        versions=dict(
            python=platform.python_version(),
            torch=torch.__version__,
            mmengine=mmengine.__version__,
            mmpretrain=mmpretrain.__version__,
            mmrazor=mmrazor.__version__,
            gld_mm=__version__),
        weights=run.weight_hash(),
        fingerprint=run.fingerprint,
        curve=top1)
