# Copyright (c) gld_mm authors. All rights reserved.
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from common import (distillation_config, figure_path, network_parser,
                    pair_parser, save_figure)

NETWORK = ['--network', 'GLD', 'configs/gld/x.py', 'x.pth']


@pytest.mark.parametrize('args, name', [
    (['--index', '3', '17'], 'map_x_3-17.png'),
    (['--index', '1', '2', '3', '4', '5'], 'map_x_1-2-3-4-5.png'),
    (['--index', *'1' * 60], f'map_x_{50 * "1-"}-etc.png'),
    (['--image', 'a/cat.jpg'], 'map_x_cat.png'),
])
def test_a_figure_is_named_after_config_and_images(args, name, tmp_path,
                                                   monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = network_parser('').parse_args([*NETWORK, *args])
    assert figure_path(args, 'map') == Path('work_dirs/figures', name)


def test_two_networks_of_one_name_are_refused(capsys):
    with pytest.raises(SystemExit):
        network_parser('').parse_args([*NETWORK, *NETWORK])
    assert '--network GLD is given twice' in capsys.readouterr().err
    other = [*NETWORK[:1], 'KD', *NETWORK[2:]]
    args = network_parser('').parse_args([*NETWORK, *other])
    assert [name for name, *_ in args.network] == ['GLD', 'KD']


def test_the_pair_among_the_networks_may_name_its_distiller_by_class(tmp_path):
    pair = tmp_path / 'pair.py'
    pair.write_text('from gld_mm.models.distillers import GLDDistiller\n'
                    'model = dict(distiller=dict(type=GLDDistiller))\n')
    args = pair_parser('').parse_args(['--network', 'GLD', str(pair), 'x.pth'])
    assert distillation_config(args) == str(pair)


def test_a_figure_goes_where_one_wants_it(tmp_path):
    out = tmp_path / 'new' / 'x.png'
    args = network_parser('').parse_args([*NETWORK, '--out', str(out)])
    assert figure_path(args, 'map') == out


def test_a_figure_is_written_as_large_as_asked_and_said(tmp_path, capsys):
    path = tmp_path / 'new' / 'x.png'
    save_figure(Figure(figsize=(2, 1)), path, dpi=50)
    with Image.open(path) as picture:
        assert picture.size == (100, 50)
    assert capsys.readouterr().out == f'wrote {path}\n'
