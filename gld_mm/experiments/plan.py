# Copyright (c) gld_mm authors. All rights reserved.
from typing import Dict, List

from .results import Results
from .run import Run, RunFailed


def with_needs(runs: List[Run]) -> List[Run]:
    """Put what a run needs before it, and each once."""
    ordered: Dict[str, Run] = {}

    def visit(run: Run) -> None:
        if run.needs is not None:
            visit(run.needs)
        ordered.setdefault(run.name, run)

    for run in runs:
        visit(run)
    return list(ordered.values())


def check_unchanged(runs: List[Run], results: Results) -> None:
    """Refuse to mix two configs under one name.

    Args:
        runs (list[Run]): What is about to run, go on or be skipped.
        results (Results): What has run.

    Raises:
        RunFailed: If a result of the same cell and length, of any seed, or the
            begun run, had another config, data or teacher.
    """
    for run in runs:
        before = {
            record['fingerprint']:
            f'its result of seed {record["seed"]} in '
            f'{results.path}'
            for record in results.of(run.cell.name, run.epochs)
        }
        begun = run.work_dir / 'fingerprint'
        if run.has_begun and begun.exists():
            before[begun.read_text()] = f'{run.work_dir} began'
        for fingerprint, what in before.items():
            if fingerprint and fingerprint != run.fingerprint:
                raise RunFailed(
                    f'{run.cell.name}: {run.cell.config}, the data config or '
                    f'the teacher has changed since {what} ({fingerprint} is '
                    f'now {run.fingerprint}). Restore it, or work in another '
                    f'folder than {run.folder}; nothing was run or lost')
