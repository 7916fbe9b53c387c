# Copyright (c) gld_mm authors. All rights reserved.
import json

from gld_mm.experiments import Results


def test_a_line_has_what_makes_a_result_checkable(lab):
    lab.execute(lab.runs(1))
    record = Results(lab.path).get(('x/gld', 1, 4))
    assert record['last'] == dict(top1=41., top5=46., epoch=4)
    assert record['best'] == record['last']
    assert record['curve'] == [11., 21., 31., 41.]
    assert (record['epochs'], record['full_epochs']) == (4, 8)
    assert record['shortened']
    assert record['config'] == 'student.py'
    assert record['needs'] == 'x_teacher_seed0_4e'
    assert len(record['weights']) == len(record['fingerprint']) == 8
    assert 'torch' in record['versions'] and record['device']
    assert json.dumps(record)
