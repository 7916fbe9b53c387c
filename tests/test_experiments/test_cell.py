# Copyright (c) gld_mm authors. All rights reserved.
from functools import lru_cache
from pathlib import Path

from mmengine.config import Config

from gld_mm.experiments import paper_cells

ROOT = Path(__file__).parents[2]
CELLS = paper_cells()


@lru_cache
def load(path):
    return Config.fromfile(ROOT / path)


def test_every_cell_has_its_config():
    missing = [
        c.config for c in CELLS.values() if not (ROOT / c.config).exists()
    ]
    assert not missing


def test_table_2_is_four_setups_of_four_methods():
    assert [
        CELLS[f'{setup}/{method}'].paper for setup in 'abcd'
        for method in ('teacher', 'baseline', 'kd', 'gld')
    ] == [
        72.53, 68.75, 70.27, 71.37, 73.04, 66.76, 68.06, 68.95, 77.67, 73.04,
        74.75, 76.28, 76.67, 71.01, 73.03, 74.27
    ]


def test_what_a_cell_needs_is_a_cell_and_its_key_is_in_the_config():
    for cell in CELLS.values():
        if cell.needs is None:
            assert cell.key is None
            continue
        assert cell.needs in CELLS
        value = load(cell.config)
        for name in cell.key.split('.'):
            value = value[name]
        assert value.startswith('work_dirs/')


def test_the_teacher_of_a_setup_is_that_of_its_configs():
    for cell in CELLS.values():
        if cell.key == 'model.teacher_ckpt':
            cfg = load(cell.config)
            assert cfg.model.teacher_config == CELLS[cell.needs].config


def test_only_a_network_that_is_trained_from_nothing_is_a_teacher():
    assert [c.name for c in CELLS.values() if c.is_teacher
            ] == ['a/teacher', 'b/teacher', 'c/teacher', 'd/teacher']
