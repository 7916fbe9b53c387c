# Copyright (c) gld_mm authors. All rights reserved.
import json

import pytest
import torch

from reproduction import load_results
from reproduction.result import hash_weights


def test_a_result_has_what_makes_it_checkable(lab):
    lab.execute(lab.runs(1))
    result = lab.results()['x/gld', 1]
    assert result['last'] == dict(top1=41., top5=46., epoch=4)
    assert result['best'] == result['last']
    assert result['curve'] == [11., 21., 31., 41.]
    assert (result['epochs'], result['full_epochs']) == (4, 8)
    assert result['shortened']
    assert result['config'] == 'student.py'
    assert result['options'] == {'model.distiller.beta': 0}
    assert result['depends_on'] == 'x_teacher_seed0_4e'
    assert len(result['weights']) == len(result['fingerprint']) == 8
    assert 'torch' in result['versions'] and result['device']
    assert not list(lab.folder.rglob('*.tmp'))


def test_results_are_grouped_by_experiment_and_lengths_with_seeds_in_order(
        tmp_path):
    assert load_results(tmp_path) == []
    for number, (seed, name, epochs, teacher) in enumerate(
        ((10, 'gld', 4, 8), (2, 'gld', 4, 8), (0, 'alone', 4, None),
         (0, 'gld', 2, 8), (1, 'gld', 4, 2))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / 'result.json').write_text(
            json.dumps(
                dict(
                    experiment=name,
                    seed=seed,
                    epochs=epochs,
                    teacher_epochs=teacher)))
    found = [[(result['experiment'], result['epochs'],
               result['teacher_epochs'], result['seed']) for result in group]
             for group in load_results(tmp_path)]
    assert found == [[('alone', 4, None, 0)], [('gld', 2, 8, 0)],
                     [('gld', 4, 2, 1)], [('gld', 4, 8, 2), ('gld', 4, 8, 10)]]


@pytest.mark.parametrize('dtype', [torch.float32, torch.int64])
def test_the_hash_of_weights_is_that_of_their_values(tmp_path, dtype):
    path = tmp_path / 'weights.pth'
    hashes = []
    for values, time in (([1, 2], 1), ([1, 2], 2), ([1, 3], 2)):
        weights = dict(w=torch.tensor(values, dtype=dtype), n=torch.tensor(1))
        torch.save(dict(state_dict=weights, meta=dict(time=time)), path)
        hashes.append(hash_weights(path))
    assert hashes[0] == hashes[1] != hashes[2]
