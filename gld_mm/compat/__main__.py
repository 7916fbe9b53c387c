# Copyright (c) gld_mm authors. All rights reserved.
"""Run a script of any OpenMMLab package with the repairs in place.

``python -m gld_mm.compat path/to/mmrazor/tools/train.py CONFIG [ARGS]``

A config's ``runner_type`` is heeded, too, which mmrazor's tools overlook.
"""
import runpy
import sys
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

import gld_mm  # noqa: F401

from_cfg = Runner.from_cfg.__func__


def build_runner(cls: type, cfg: Config) -> Runner:
    """Build a runner of the type that the config names."""
    if cls is Runner and cfg.get('runner_type', 'Runner') != 'Runner':
        return RUNNERS.build(cfg)
    return from_cfg(cls, cfg)


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit('usage: python -m gld_mm.compat SCRIPT [ARGS]')
    del sys.argv[0]
    Runner.from_cfg = classmethod(build_runner)
    # As Python itself does for a script, so that it finds its neighbours.
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name='__main__')
