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
ROOT = TOOLS.parent


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
    monkeypatch.setitem(scaling.BASE, 'batch', 4)
    run(monkeypatch, scaling, '--rounds', 1, '--out', tmp_path / 'out.png')
    rows = json.loads((tmp_path / 'out.json').read_text())
    assert [row['batch'] for row in rows] == [2, 4, 4]
    assert [row['share'] for row in rows] == [
        pytest.approx(1 - row['without'][0] / row['with'][0]) for row in rows
    ]


def test_teacher_forward_gives_a_ratio(monkeypatch, capsys):
    import teacher_forward
    run(monkeypatch, teacher_forward, 'r14_r8_digits', 2, 16, '--rounds', 1)
    assert 'ratio' in capsys.readouterr().out


def test_the_relation_is_timed_beside_its_products(monkeypatch, tmp_path):
    import relation_loss
    monkeypatch.setattr(relation_loss, 'SIZES', ((20, 10), ))
    monkeypatch.setattr(relation_loss, 'LARGE', (300, 10))
    monkeypatch.setattr(relation_loss, 'BATCHES', (2, 4, 8))
    monkeypatch.setattr(relation_loss, 'CELLS', (1, 4))
    run(monkeypatch, relation_loss, '--rounds', 2, '--out',
        tmp_path / 'out.png')
    assert (tmp_path / 'out.png').exists()
    result = json.loads((tmp_path / 'out.json').read_text())
    size, = result['sizes']
    assert (size['rows'], size['classes']) == (20, 10)
    assert len(size['loss']) == len(size['products']) == 2
    assert {
        k: len(curve)
        for k, curve in result['curves'].items()
    } == {
        '1': 3,
        '4': 3
    }


def test_data_configs_are_timed_alone_and_in_training(monkeypatch, tmp_path):
    pytest.importorskip('sklearn')
    import input_pipeline
    config = ROOT / 'configs/baseline/r8_digits.py'
    data = ROOT / 'configs/_base_/datasets/noisy_digits_bs32.py'
    run(monkeypatch, input_pipeline, config, '--data', data, '--batches', 2,
        '--rounds', 3, '--out', tmp_path / 'out.json')
    rates = json.loads((tmp_path / 'out.json').read_text())['rates']
    assert list(rates) == [str(data)]
    assert {
        what: len(rounds)
        for what, rounds in rates[str(data)].items()
    } == {
        'data': 3,
        'step': 3
    }


@pytest.mark.slow
def test_a_killed_run_ends_in_the_weights_of_one_that_was_not(
        monkeypatch, tmp_path):
    pytest.importorskip('sklearn')
    import kill_and_resume
    out = tmp_path / 'out.json'
    args = [
        ROOT / 'configs/baseline/r8_digits.py', '--kills', 1, '--seed', 5,
        '--out', out, '--work-dir', tmp_path / 'runs', '--cfg-options',
        'train_cfg.max_epochs=2', 'val_dataloader.dataset.num_samples=100'
    ]
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, kill_and_resume, *args)
    assert ended.value.code == 0
    counts = json.loads(out.read_text())
    assert counts['kills'] == 1
    assert counts['equal'] == counts['students'] > 0
    with pytest.raises(SystemExit, match='has the runs of another call'):
        run(monkeypatch, kill_and_resume, *args)
