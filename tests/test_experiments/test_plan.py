# Copyright (c) gld_mm authors. All rights reserved.
import pytest

from gld_mm.experiments import RunFailed


@pytest.mark.parametrize('seed, finished', [(0, True), (0, False), (1, True)])
def test_a_config_that_changed_is_an_error_and_loses_nothing(
        lab, seed, finished):
    lab.execute(lab.runs(0))
    if not finished:
        lab.path.unlink()
    config = lab.root / 'student.py'
    config.write_text(config.read_text() + 'extra = 1\n')
    with pytest.raises(RunFailed, match='student.py.* has changed since'):
        lab.execute(lab.runs(seed))
    assert lab.runs(0)[0].checkpoint.exists()
    assert lab.path.exists() == finished


def test_another_teacher_under_a_result_is_an_error(lab):
    lab.execute(lab.runs(0))
    with pytest.raises(RunFailed, match='the teacher has changed since'):
        lab.execute(lab.runs(1, teacher_epochs=2))


def test_a_run_that_saved_nothing_may_start_with_another_config(lab):
    run, = lab.runs(0)
    run.work_dir.mkdir(parents=True)
    (run.work_dir / 'fingerprint').write_text('00000000')
    assert lab.execute([run]) == []
