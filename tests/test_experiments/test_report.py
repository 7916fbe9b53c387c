# Copyright (c) gld_mm authors. All rights reserved.
import cv2

from gld_mm.experiments import Cell, Results, draw_curves, spread, table

CELL = Cell('a/gld', 'x.py', paper=71.37)


def results(tmp_path, *records):
    made = Results(tmp_path / 'r.jsonl')
    for seed, (curve, epochs) in enumerate(records):
        made.add(
            dict(
                cell='a/gld',
                seed=seed,
                epochs=epochs,
                full_epochs=3,
                shortened=epochs != 3,
                fingerprint='',
                last=dict(top1=curve[-1], top5=90.),
                best=dict(top1=max(curve)),
                curve=curve))
    return made


def test_spread_is_mean_and_sample_deviation():
    assert spread([70., 60., 50.]) == '60.00 +- 10.00'
    assert spread([70.125], digits=1) == '70.1'


def test_a_row_has_paper_last_epoch_best_epoch_and_number(tmp_path):
    made = results(tmp_path, ([10., 72., 70.], 3), ([10., 20., 60.], 3))
    row = table([CELL], made).splitlines()[-1]
    assert row == ('| a/gld | 3 | 71.37 | 65.00 +- 7.07 | 66.00 +- 8.49 | '
                   '90.00 +- 0.00 | 2 |')


def test_shortened_runs_are_marked_and_not_mixed_with_whole_ones(tmp_path):
    made = results(tmp_path, ([10., 20., 30.], 3), ([5., 6.], 2))
    short, whole = table([CELL], made).splitlines()[2:]
    assert '| 2 of 3, shortened | 71.37 | 6.00 |' in short
    assert '| 3 | 71.37 | 30.00 |' in whole


def test_the_length_of_the_teacher_is_shown_where_something_is_shortened(
        tmp_path):
    made = results(tmp_path, ([5., 6.], 2))
    made.add(dict(next(iter(made)), needs_epochs=4))
    assert '| 2 of 3, teacher 4, shortened |' in table([CELL], made)


def test_a_cell_without_results_has_no_row(tmp_path):
    assert len(table([CELL], results(tmp_path)).splitlines()) == 2


def test_curves_are_drawn_a_panel_for_each_length(tmp_path):
    path = tmp_path / 'curves.png'
    draw_curves([CELL], results(tmp_path), path)
    assert not path.exists()
    draw_curves([CELL], results(tmp_path, ([5., 6.], 2)), path)
    width = cv2.imread(str(path)).shape[1]
    draw_curves([CELL], results(tmp_path, ([5., 6.], 2), ([10., 20., 30.], 3)),
                path)
    assert cv2.imread(str(path)).shape[1] == 2 * width
