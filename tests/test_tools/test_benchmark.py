# Copyright (c) gld_mm authors. All rights reserved.
"""The benchmarks run; their times are not tested."""
import json
import sys

import pytest

from ..conftest import TOOLS

sys.path.append(str(TOOLS / 'benchmark'))
pytestmark = pytest.mark.filterwarnings('ignore:teacher_ckpt is None')

# Of 16 channels and more: narrow networks in the channels-last format crash on
# some CPUs, see ChannelsLastHook.
PAIR = 'wrn16-2_wrn16-1_cifar100'


def run(monkeypatch, module, *args):
    monkeypatch.setattr(sys, 'argv', [module.__name__, *map(str, args)])
    module.main()


def test_step_time_compares_with_mmrazor_and_the_floor(monkeypatch, tmp_path):
    import step_time
    out = tmp_path / 'out.json'
    run(monkeypatch, step_time, PAIR, '--batch', 2, '--size', 16, '--steps', 1,
        '--rounds', 2, '--out', out)
    rows = json.loads(out.read_text())
    assert len(rows) == 12
    assert {row['what'] for row in rows} >= {'mmrazor KD', 'GLD', 'floor'}
    assert all(len(row['seconds']) == 2 for row in rows)


def test_scaling_gives_the_share_of_the_relation(monkeypatch, tmp_path):
    import scaling
    monkeypatch.setattr(scaling, 'PAIR', PAIR)
    monkeypatch.setattr(scaling, 'VARIED', dict(batch=(2, 4), grid=(1, )))
    run(monkeypatch, scaling, '--rounds', 1, '--out', tmp_path / 'out.png')
    rows = json.loads((tmp_path / 'out.json').read_text())
    assert [row['batch'] for row in rows] == [2, 4, 64]
    assert [row['share'] for row in rows] == [
        pytest.approx(1 - row['without'][0] / row['with'][0]) for row in rows
    ]


def test_teacher_forward_gives_a_ratio(monkeypatch, capsys):
    import teacher_forward
    run(monkeypatch, teacher_forward, 'r14_r8_digits', 2, 16, '--rounds', 1)
    assert 'ratio' in capsys.readouterr().out
