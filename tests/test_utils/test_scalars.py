# Copyright (c) gld_mm authors. All rights reserved.
from gld_mm.utils import read_scalars


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path):
    path = tmp_path / 'scalars.json'
    path.write_text('{"step": 1, "loss": 2.5}\n{"st\n{"step": 2}\n{"step": 3')
    assert list(read_scalars(path)) == [dict(step=1, loss=2.5), dict(step=2)]
