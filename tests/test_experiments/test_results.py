# Copyright (c) gld_mm authors. All rights reserved.
import json

import pytest

from gld_mm.experiments import Results


def record(cell='a/gld', seed=0, epochs=4, top1=50.):
    return dict(
        cell=cell,
        seed=seed,
        epochs=epochs,
        fingerprint='01234567',
        last=dict(top1=top1),
        best=dict(top1=top1),
        curve=[top1])


def test_it_is_read_back_as_it_was_written(tmp_path):
    results = Results(tmp_path / 'r.jsonl')
    assert list(results) == []
    for seed in (1, 0):
        results.add(record(seed=seed))
    results.add(record(cell='a/kd', epochs=2))
    read = Results(tmp_path / 'r.jsonl')
    assert list(read) == list(results)
    assert [r['seed'] for r in read.of('a/gld')] == [0, 1]
    assert read.of('a/kd', epochs=4) == []
    assert read.get(('a/kd', 0, 2)) == record(cell='a/kd', epochs=2)


def test_the_same_run_is_replaced_not_repeated(tmp_path):
    results = Results(tmp_path / 'r.jsonl')
    results.add(record(top1=1.))
    results.add(record(top1=2.))
    assert [r['last']['top1'] for r in results] == [2.]
    assert len((tmp_path / 'r.jsonl').read_text().splitlines()) == 1


@pytest.mark.parametrize('half', ['{"cell": "a/k', '{"cell": "a/kd"}', '[]'])
def test_a_file_cut_in_half_keeps_its_whole_lines(tmp_path, half):
    path = tmp_path / 'r.jsonl'
    path.write_text(json.dumps(record()) + '\n' + half)
    with pytest.warns(UserWarning, match='line 2 is cut off or no result'):
        results = Results(path)
    assert list(results) == [record()]
    results.add(record(seed=1))
    assert [r['seed'] for r in Results(path)] == [0, 1]
    assert (tmp_path / 'r.jsonl.bak').read_text().endswith(half)


def test_two_processes_add_to_one_file(tmp_path):
    first, second = (Results(tmp_path / 'r.jsonl') for _ in range(2))
    first.add(record(seed=0))
    second.add(record(seed=1))
    first.add(record(seed=2))
    assert [r['seed'] for r in Results(tmp_path / 'r.jsonl')] == [0, 1, 2]
    assert len(list(first)) == 3
