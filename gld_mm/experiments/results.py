# Copyright (c) gld_mm authors. All rights reserved.
import fcntl
import json
import os
import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

_FIELDS = ('cell', 'seed', 'epochs', 'fingerprint', 'last', 'best', 'curve')
Key = Tuple[str, int, int]


class Results:
    """Finished runs in a file of JSON lines, one a run.

    Several processes may add to one file. It is replaced as a whole, so a kill
    leaves the old or the new one. A line that is no result (a file cut in
    half) is reported and left out; the file is kept as ``.bak`` before it is
    written again.

    Args:
        path (Path): The file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._records, damaged = self._read()
        for number in damaged:
            warnings.warn(
                f'{path}, line {number} is cut off or no result, and left '
                'out. The other lines are kept; what it was is read from its '
                'run when that is asked for again.')

    def __iter__(self) -> Iterator[dict]:
        return iter(self._records.values())

    def get(self, key: Key) -> Optional[dict]:
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
        with self._locked():
            self._records, damaged = self._read()
            self._records[_key(record)] = record
            if damaged:
                shutil.copy(self.path, f'{self.path}.bak')
            temporary = self.path.with_suffix('.tmp')
            with open(temporary, 'w') as file:
                for line in self:
                    file.write(json.dumps(line) + '\n')
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

    def _read(self) -> Tuple[Dict[Key, dict], List[int]]:
        """The records, and the numbers of lines that are none."""
        records: Dict[Key, dict] = {}
        damaged = []
        text = self.path.read_text() if self.path.exists() else ''
        for number, line in enumerate(text.splitlines(), 1):
            record = _parse(line)
            if record is None:
                damaged.append(number)
            else:
                records[_key(record)] = record
        return records, damaged

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(f'{self.path}.lock', 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _key(record: dict) -> Key:
    return record['cell'], record['seed'], record['epochs']


def _parse(line: str) -> Optional[dict]:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(record, dict) and all(f in record for f in _FIELDS)
    return record if whole else None
