# Copyright (c) gld_mm authors. All rights reserved.
import json

import cv2
import pytest

from reproduction import draw_curves, markdown_table, mean_and_std


@pytest.fixture
def write(tmp_path):
    """Write results of a/gld, one for each seed."""

    def write(*records, **changes):
        for seed, (curve, epochs) in enumerate(records):
            folder = tmp_path / f'seed{seed}'
            folder.mkdir(exist_ok=True)
            result = dict(
                experiment='a/gld',
                seed=seed,
                epochs=epochs,
                full_epochs=3,
                shortened=epochs != 3,
                teacher_epochs=None,
                last=dict(top1=curve[-1], top5=90.),
                best=dict(top1=max(curve)),
                curve=curve)
            (folder / 'result.json').write_text(json.dumps(result | changes))
        return tmp_path

    return write


def test_mean_and_sample_deviation_are_formatted():
    assert mean_and_std([70., 60., 50.]) == '60.00 +- 10.00'
    assert mean_and_std([70.125], digits=1) == '70.1'


def test_a_row_has_paper_last_epoch_best_epoch_and_number(write):
    folder = write(([10., 72., 70.], 3), ([10., 20., 60.], 3))
    row = markdown_table(folder).splitlines()[-1]
    assert row == ('| a/gld | 3 | 71.37 | 65.00 +- 7.07 | 66.00 +- 8.49 | '
                   '90.00 +- 0.00 | 2 |')


def test_shortened_runs_are_marked_and_not_mixed_with_whole_ones(write):
    folder = write(([10., 20., 30.], 3), ([5., 6.], 2))
    short, whole = markdown_table(folder).splitlines()[2:]
    assert '| 2 of 3, shortened | 71.37 | 6.00 |' in short
    assert '| 3 | 71.37 | 30.00 |' in whole


def test_the_length_of_the_teacher_is_shown_where_something_is_shortened(
        write):
    table = markdown_table(write(([5., 6.], 2), teacher_epochs=4))
    assert '| 2 of 3, teacher 4, shortened |' in table


def test_a_row_names_the_features_that_are_transferred_and_other_data(write):
    table = markdown_table(
        write(([5., 6.], 2),
              experiment='stl10/gld',
              teacher_epochs=4,
              data='folder/my.py'))
    assert '| 2 of 3, features 4, shortened, my.py |' in table


def test_students_of_teachers_of_different_length_are_not_averaged(
        write, tmp_path):
    write(([5., 6.], 2), ([7., 8.], 2), teacher_epochs=4)
    path = tmp_path / 'seed1' / 'result.json'
    path.write_text(
        json.dumps(json.loads(path.read_text()) | dict(teacher_epochs=8)))
    four, eight = markdown_table(tmp_path).splitlines()[2:]
    assert '| 2 of 3, teacher 4, shortened | 71.37 | 6.00 |' in four
    assert '| 2 of 3, teacher 8, shortened | 71.37 | 8.00 |' in eight


def test_an_experiment_without_results_has_no_row(tmp_path):
    assert len(markdown_table(tmp_path).splitlines()) == 2


def test_curves_are_drawn_with_a_panel_for_each_length(write, tmp_path):
    path = tmp_path / 'curves.png'
    draw_curves(tmp_path, path)
    assert not path.exists()
    draw_curves(write(([5., 6.], 2)), path)
    width = cv2.imread(str(path)).shape[1]
    draw_curves(write(([5., 6.], 2), ([10., 20., 30.], 3)), path)
    assert cv2.imread(str(path)).shape[1] == 2 * width
