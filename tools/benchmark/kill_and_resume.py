# Copyright (c) gld_mm authors. All rights reserved.
"""Kill a training run at random moments and count what --resume loses.

    python tools/benchmark/kill_and_resume.py configs/gld/r14_r8_digits.py \
        --kills 20 --cfg-options train_cfg.max_epochs=6

An uninterrupted run is the reference. Then the same run is killed (SIGKILL)
and resumed until it is through, again and again until the kills are spent;
every fourth kill waits for a checkpoint to appear in the folder and strikes
while it is written. The final students have to be bitwise those of the
reference.
"""
import argparse
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Set

import torch
from rich.console import Console
from rich.table import Table

import gld_mm  # noqa: F401
from gld_mm.engine.checkpoint import is_whole, newest_checkpoint

TRAIN = Path(__file__).parents[1] / 'train.py'
AIMED = 4


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='of a short run')
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument(
        '--work-dir', type=Path, default='work_dirs/kill_and_resume')
    parser.add_argument('--out', type=Path, help='JSON file of the counts')
    parser.add_argument('--cfg-options', nargs='+', default=[])
    return parser.parse_args()


class Run:
    """A training run in a folder, which can be killed."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.folder = folder
        self.command = [
            sys.executable,
            str(TRAIN), args.config, '--resume', '--work-dir',
            str(folder), '--cfg-options', 'randomness.seed=0',
            *args.cfg_options
        ]

    def start(self) -> subprocess.Popen:
        """Begin, or go on from the newest whole checkpoint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / 'output.txt', 'a') as output:
            return subprocess.Popen(
                self.command, stdout=output, stderr=subprocess.STDOUT)

    def checkpoints(self) -> Set[Path]:
        """The files of all epochs, whole or cut off."""
        return set(self.folder.glob('epoch_*.pth'))

    def weights(self) -> Dict[str, torch.Tensor]:
        """Load those of the newest whole checkpoint."""
        path = newest_checkpoint(str(self.folder))
        assert path, f'{self.folder} has no whole checkpoint.'
        return torch.load(path, weights_only=True)['state_dict']


def wait_for_writing(run: Run, process: subprocess.Popen) -> None:
    """Return when a checkpoint appears, or the run is through."""
    before = run.checkpoints()
    while process.poll() is None and not run.checkpoints() - before:
        pass


def main() -> None:
    args = parse_args()
    if args.work_dir.exists() and any(args.work_dir.iterdir()):
        sys.exit(f'{args.work_dir} has the runs of another call: remove it, '
                 'or name another --work-dir.')
    rng = random.Random(args.seed)
    reference = Run(args, args.work_dir / 'reference')
    start = time.time()
    if reference.start().wait():
        sys.exit(f'The run fails, see {reference.folder}/output.txt')
    duration = time.time() - start
    expected = reference.weights()
    counts = dict(kills=0, while_writing=0, cut_off=0, students=0, equal=0)
    while counts['kills'] < args.kills:
        run = Run(args, args.work_dir / f'killed_{counts["students"]}')
        done = False
        while not done:
            process = run.start()
            if counts['kills'] < args.kills:
                aimed = counts['kills'] % AIMED == AIMED - 1
                if aimed:
                    wait_for_writing(run, process)
                else:
                    time.sleep(rng.uniform(0, duration))
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    counts['kills'] += 1
                    counts['while_writing'] += aimed
            done = process.wait() == 0
            if process.returncode > 0:
                sys.exit(f'Not resumed, see {run.folder}/output.txt')
            counts['cut_off'] += sum(not is_whole(path)
                                     for path in run.checkpoints())
        found = run.weights()
        counts['students'] += 1
        counts['equal'] += all(found[k].equal(v) for k, v in expected.items())
    table = Table('kills', 'of them at a new checkpoint',
                  'checkpoints left cut off', 'students finished',
                  'bitwise equal')
    table.add_row(*map(str, counts.values()))
    Console().print(table)
    if args.out:
        args.out.write_text(json.dumps(counts, indent=1))
    sys.exit(counts['equal'] != counts['students'])


if __name__ == '__main__':
    main()
