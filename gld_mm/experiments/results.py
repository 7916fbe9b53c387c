# Copyright (c) gld_mm authors. All rights reserved.
import json
import os
import threading
import warnings
from pathlib import Path
from typing import Dict, List, Optional, Tuple

_FIELDS = ('cell', 'seed', 'epochs', 'fingerprint', 'last', 'best', 'curve')


class Results:
    """Finished runs in a file of JSON lines, one a run.

    The file is replaced as a whole, so a kill leaves the old or the new one. A
    line that is no result (a file cut in half) is reported and left out; the
    file is kept as ``.bak`` before it is written again.

    Args:
        path (Path): The file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._records: Dict[Tuple[str, int, int], dict] = {}
        self._lock = threading.Lock()
        self._damaged = False
        lines = self.path.read_text().splitlines() if path.exists() else []
        for number, line in enumerate(lines, 1):
            record = _parse(line)
            if record is None:
                self._damaged = True
                warnings.warn(
                    f'{path}, line {number} is cut off or no result. It is '
                    'left out; the other lines are kept, and what it was is '
                    'read from its run again.')
            else:
                self._records[_key(record)] = record

    def __iter__(self):
        return iter(self._records.values())

    def get(self, key: Tuple[str, int, int]) -> Optional[dict]:
        """Look a result up.

        Args:
            key (tuple): Cell, seed and epochs.

        Returns:
            dict, optional: The record.
        """
        return self._records.get(key)

    def add(self, record: dict) -> None:
        """Add a result, or replace that of the same cell, seed and epochs.

        Args:
            record (dict): What goes into the line.
        """
        with self._lock:
            self._records[_key(record)] = record
            if self._damaged:
                self.path.replace(f'{self.path}.bak')
                self._damaged = False
            temporary = self.path.with_suffix('.tmp')
            lines = [json.dumps(r) + '\n' for r in self._records.values()]
            with open(temporary, 'w') as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)

    def of(self, cell: str, epochs: Optional[int] = None) -> List[dict]:
        """List the results of a cell.

        Args:
            cell (str): Name of the cell.
            epochs (int, optional): Only those of so many epochs.
                Defaults to None.

        Returns:
            list[dict]: By seed.
        """
        found = [
            record for record in self
            if record['cell'] == cell and epochs in (None, record['epochs'])
        ]
        return sorted(found, key=lambda record: record['seed'])


def _key(record: dict) -> Tuple[str, int, int]:
    return record['cell'], record['seed'], record['epochs']


def _parse(line: str) -> Optional[dict]:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and all(f in record for f in _FIELDS)
    return record if whole else None
