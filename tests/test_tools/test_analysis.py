# Copyright (c) gld_mm authors. All rights reserved.
"""tools/analysis, on networks with random weights."""
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from PIL import Image

from gld_mm.experiments import Results

pytest.importorskip('matplotlib')

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """Load a tool as a module whose main takes arguments."""
    monkeypatch.chdir(tmp_path)

    def load(name):
        spec = importlib.util.spec_from_file_location(
            name, ROOT / 'tools' / 'analysis' / f'{name}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)

        def run(*args):
            monkeypatch.setattr(sys, 'argv', [name, *map(str, args)])
            module.main()

        module.run = run
        return module

    return load


def network(name, config, path):
    """Arguments of a figure for a network with random weights."""
    cfg = Config.fromfile(ROOT / config)
    init_default_scope(cfg.default_scope)
    model = cfg.model.get('architecture', cfg.model)
    model.backbone.init_cfg = None
    built = MODELS.build(model)
    built.init_weights()
    torch.save(built.state_dict(), path)
    return '--network', name, ROOT / config, path


@pytest.fixture
def pair(tmp_path):
    """A teacher and a student of the two-digit numbers."""
    pytest.importorskip('sklearn')
    return (*network('teacher', 'configs/teachers/r14_digits.py',
                     tmp_path / 't.pth'),
            *network('GLD', 'configs/gld/r14_r8_digits.py',
                     tmp_path / 's.pth'))


def size(path):
    with Image.open(path) as picture:
        return picture.size


def test_activation_is_the_maximum_over_channels_from_0_to_1(tool):
    activation = tool('activation_map').activation
    feature = torch.zeros(3, 2, 2)
    feature[0, 0, 0], feature[2, 1, 1], feature[:, 1, 0] = 4, 2, -1
    np.testing.assert_allclose(
        activation(feature, (2, 2)), [[1, .2], [0, .6]], rtol=1e-6)
    assert activation(feature, (32, 40)).shape == (32, 40)
    assert not activation(torch.ones(3, 2, 2), (2, 2)).any()


def test_activation_maps_have_a_row_an_image_and_a_column_a_network(
        tool, pair):
    tool('activation_map').run(*pair, '--index', 0, 3)
    path = Path('work_dirs/figures/activation_map_r14_r8_digits_0-3.png')
    assert size(path) == (792, 552)  # 3 columns of 2.2, 2 rows of 2.3 inches


def test_local_predictions_are_drawn_of_the_pair(tool, pair):
    tool('local_predictions').run(*pair, '--index', 0, 3, 5)
    path = 'work_dirs/figures/local_predictions_r14_r8_digits_0-3-5.png'
    assert size(path) == (804, 552)


def test_a_cell_has_the_classes_of_its_part(tool):
    pytest.importorskip('mmseg')
    from mmdet.structures import DetDataSample
    from mmdet.structures.bbox import HorizontalBoxes
    from mmengine.structures import InstanceData, PixelData
    from mmseg.structures import SegDataSample

    from gld_mm.analysis import Sample
    module = tool('local_predictions')
    whole, *cells = module.cells_of(2)
    mask = torch.zeros(1, 4, 6, dtype=torch.int64)
    mask[:, 3:, 4:] = 7
    truth = SegDataSample(gt_sem_seg=PixelData(data=mask))
    sample = Sample(dict(data_samples=truth), None, '')
    assert module.present(sample, whole) == {0, 7}
    assert [module.present(sample, c) for c in cells] == [{0}] * 3 + [{0, 7}]
    # In an image of 100x200 a box over both upper cells.
    truth = DetDataSample(
        metainfo=dict(ori_shape=(100, 200)),
        gt_instances=InstanceData(
            bboxes=HorizontalBoxes([[90., 10, 110, 50]]),
            labels=torch.tensor([3])))
    sample = Sample(dict(data_samples=truth), None, '')
    assert [module.present(sample, c) for c in cells] == [{3}, {3},
                                                          set(),
                                                          set()]
    assert module.present(
        Sample(dict(data_samples=SegDataSample()), None, ''), whole) is None


def test_the_background_is_no_answer(tool):
    without = tool('local_predictions').without_background
    scores = torch.tensor([[.7, .1, .2]])
    torch.testing.assert_close(
        without(scores, ['background', 'cat', 'dog']),
        torch.tensor([[0, 1 / 3, 2 / 3]]))
    torch.testing.assert_close(  # mmdet's background is last
        without(scores, ['cat', 'dog']), torch.tensor([[7 / 8, 1 / 8]]))


def test_an_image_file_of_a_detector_needs_no_data(tool, tmp_path):
    pytest.importorskip('mmdet')
    args = network('SSD', 'configs/baseline/ssd300_r18_voc.py',
                   tmp_path / 'ssd.pth')
    Image.new('RGB', (60, 40)).save(tmp_path / 'photo.jpg')
    for name in ('local_predictions', 'activation_map', 'compare_predictions'):
        tool(name).run(*args, '--image', tmp_path / 'photo.jpg')
        assert Path('work_dirs/figures',
                    f'{name}_ssd300_r18_voc_photo.png').exists()


def test_relations_are_drawn_with_their_difference(tool, pair, capsys):
    tool('relation_matrix').run(*pair, '--index', *range(4), '--out', 'r.png')
    assert size('r.png') == (960, 864)
    with pytest.raises(SystemExit, match='teacher has 1 sets'):
        tool('relation_matrix').run(*pair, '--set', 1)


def test_the_ablation_has_all_seeds_of_the_last_epoch(tool, tmp_path):
    results = Results(tmp_path / 'results.jsonl')

    def add(cell, seed, top1, epochs=2):
        results.add(
            dict(
                cell=cell,
                seed=seed,
                epochs=epochs,
                fingerprint='',
                last=dict(top1=top1),
                best=dict(top1=99.),
                curve=[]))

    add('b/baseline', 0, 20.)
    add('b/gld', 0, 33.)
    add('b/gld', 1, 35.)
    add('b/global', 0, 27.)
    add('b/kd', 0, 30.)  # no part of the ablation
    add('a/gld', 0, 70., epochs=200)  # of a setup without one
    module = tool('ablation')
    assert module.panels(results) == {
        ('b', 2): dict(baseline=[20.], gld=[33., 35.], **{'global': [27.]})
    }
    figure, axis = module.plt.subplots()
    module.draw(axis, module.panels(results)['b', 2], '')
    assert [bar.get_height() for bar in axis.patches] == [20, 27, 34]
    module.run(results.path)
    assert Path('work_dirs/figures/ablation.png').exists()


def test_curves_of_a_resumed_run_are_one_line(tool, tmp_path):

    def log(start, *lines):
        folder = tmp_path / 'run' / start / 'vis_data'
        folder.mkdir(parents=True)
        text = '\n'.join(map(json.dumps, lines)) + '\n{"step": 3'  # a kill
        (folder / 'scalars.json').write_text(text)

    log('20260101_000000', dict(step=0, **{'teacher/mIoU': 70.}),
        dict(step=10, loss=3.), dict(step=20, loss=2.5))
    log('20260101_000100', dict(step=20, loss=2.), dict(step=30, loss=1.),
        dict(step=1, mIoU=50.))
    module = tool('learning_curves')
    curves = module.read(tmp_path / 'run')
    assert curves['loss'] == {10: 3., 20: 2., 30: 1.}
    assert module.default_keys(dict(run=curves)) == ['loss', 'mIoU']
    module.run('--run', 'GLD', tmp_path / 'run')
    assert size('work_dirs/figures/learning_curves.png') == (1008, 360)
    with pytest.raises(SystemExit, match='No run logged "top1". Known are'):
        module.run('--run', 'GLD', tmp_path / 'run', '--keys', 'top1')


@pytest.mark.parametrize('name, args, line', [
    ('learning_curves', ['--run', 'x', 'nowhere'], 'nowhere has no log'),
    ('ablation', ['nothing.jsonl'], 'nothing.jsonl does not exist'),
])
def test_what_is_not_there_is_one_line(tool, name, args, line):
    with pytest.raises(SystemExit, match=line):
        tool(name).run(*args)


def test_an_index_or_a_checkpoint_that_is_not_there_is_one_line(tool, pair):
    module = tool('activation_map')
    with pytest.raises(SystemExit, match='There is no image 2000'):
        module.run(*pair, '--index', 2000)
    with pytest.raises(SystemExit, match='checkpoint no.pth does not exist'):
        module.run(*pair[:3], 'no.pth')
