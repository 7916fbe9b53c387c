# Copyright (c) gld_mm authors. All rights reserved.
from functools import lru_cache
from pathlib import Path

import pytest
from mmengine.config import Config

from reproduction import paper_experiments

ROOT = Path(__file__).parents[3]
EXPERIMENTS = paper_experiments()


@lru_cache
def load(path):
    return Config.fromfile(ROOT / path)


def value_of(cfg, option):
    for name in option.split('.'):
        cfg = cfg[name]
    return cfg


def test_every_experiment_has_its_config():
    missing = [
        e.config for e in EXPERIMENTS.values()
        if not (ROOT / e.config).exists()
    ]
    assert not missing


def test_table_2_is_four_setups_of_four_methods():
    assert [
        EXPERIMENTS[f'{setup}/{method}'].paper for setup in 'abcd'
        for method in ('teacher', 'baseline', 'kd', 'gld')
    ] == [
        72.53, 68.75, 70.27, 71.37, 73.04, 66.76, 68.06, 68.95, 77.67, 73.04,
        74.75, 76.28, 76.67, 71.01, 73.03, 74.27
    ]


@pytest.mark.parametrize('terms, weights', [
    ('global', (.7, 0, 0)),
    ('local', (0, 1, 0)),
    ('relation', (0, 0, 500)),
    ('global-local', (.7, 1, 0)),
    ('global-relation', (.7, 0, 500)),
    ('local-relation', (0, 1, 500)),
    ('gld', (.7, 1, 500)),
])
def test_an_ablation_turns_the_other_terms_off(terms, weights):
    for setup in 'abd':
        experiment = EXPERIMENTS[f'{setup}/{terms}']
        cfg = Config(load(experiment.config).to_dict())
        cfg.merge_from_dict(experiment.options)
        distiller = cfg.model.distiller
        assert (distiller.alpha, distiller.get('gamma',
                                               1), distiller.beta) == weights


def test_a_dependency_is_an_experiment_and_its_option_is_in_the_config():
    for experiment in EXPERIMENTS.values():
        if experiment.depends_on is None:
            assert experiment.checkpoint_option is None
            continue
        assert experiment.depends_on in EXPERIMENTS
        cfg = load(experiment.config)
        path = value_of(cfg, experiment.checkpoint_option)
        assert path.startswith('work_dirs/')


def test_the_teacher_of_a_setup_is_that_of_its_configs():
    for experiment in EXPERIMENTS.values():
        if experiment.checkpoint_option == 'model.teacher_ckpt':
            cfg = load(experiment.config)
            teacher = EXPERIMENTS[experiment.depends_on]
            assert cfg.model.teacher_config == teacher.config


def test_only_a_network_that_is_trained_from_scratch_is_a_teacher():
    assert [e.name for e in EXPERIMENTS.values() if e.is_teacher
            ] == ['a/teacher', 'b/teacher', 'c/teacher', 'd/teacher']
