# Copyright (c) gld_mm authors. All rights reserved.
"""tools/analysis, on networks with random weights."""
import json
import re
import subprocess
import sys
from pathlib import Path

import ablation
import activation_map
import compare_predictions
import learning_curves
import local_predictions
import loss_terms
import numpy as np
import pytest
import relation_matrix
import torch
from matplotlib import pyplot as plt
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from PIL import Image

from gld_mm.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Pictures go here."""
    monkeypatch.chdir(tmp_path)


def draw(tool, *args):
    """Call a tool in this process."""
    tool.main([str(arg) for arg in args])


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
    """A teacher and a student of the noisy digits."""
    pytest.importorskip('sklearn')
    return (*network('teacher', 'configs/baseline/r14_digits.py',
                     tmp_path / 't.pth'),
            *network('GLD', 'configs/gld/r14_r8_digits.py',
                     tmp_path / 's.pth'))


def size(path):
    with Image.open(path) as picture:
        return picture.size


def test_activation_is_the_maximum_over_channels_from_0_to_1():
    activation = activation_map.activation
    feature = torch.zeros(3, 2, 2)
    feature[0, 0, 0], feature[2, 1, 1], feature[:, 1, 0] = 4, 2, -1
    np.testing.assert_allclose(
        activation(feature, (2, 2)), [[1, .2], [0, .6]], rtol=1e-6)
    assert activation(feature, (32, 40)).shape == (32, 40)
    assert not activation(torch.ones(3, 2, 2), (2, 2)).any()


def test_activation_maps_have_a_row_an_image_and_a_column_a_network(pair):
    draw(activation_map, *pair, '--index', 0, 3)
    path = Path('work_dirs/figures/activation_map_r14_r8_digits_0-3.png')
    assert size(path) == (792, 552)  # 3 columns of 2.2, 2 rows of 2.3 inches
    # The image, and with each network the image below its activation
    assert [len(axis.images) for axis in plt.gcf().axes] == [1, 2, 2] * 2


def test_a_network_without_local_logits_has_no_local_predictions():
    with pytest.raises(UserError, match='no local logits'):
        local_predictions.probabilities([torch.zeros(2, 1, 5)])


def test_a_cell_has_the_classes_of_its_part():
    pytest.importorskip('mmseg')
    from mmdet.structures import DetDataSample
    from mmdet.structures.bbox import HorizontalBoxes
    from mmengine.structures import InstanceData, PixelData
    from mmseg.structures import SegDataSample

    from common import Sample
    module = local_predictions
    whole, *cells = module.cells_of((2, 2))
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


def test_the_background_is_no_answer():
    without = local_predictions.without_background
    scores = torch.tensor([[.7, .1, .2]])
    torch.testing.assert_close(
        without(scores, ['background', 'cat', 'dog']),
        torch.tensor([[0, 1 / 3, 2 / 3]]))
    torch.testing.assert_close(  # mmdet's background is last
        without(scores, ['cat', 'dog']), torch.tensor([[7 / 8, 1 / 8]]))


def test_an_image_file_of_a_detector_needs_no_data(tmp_path):
    pytest.importorskip('mmdet')
    args = network('SSD', 'configs/baseline/ssd300_r18_voc.py',
                   tmp_path / 'ssd.pth')
    gld = ROOT / 'configs/gld/ssd300_r34_r18_voc.py'
    Image.new('RGB', (60, 40)).save(tmp_path / 'photo.jpg')
    args = (*args, '--image', tmp_path / 'photo.jpg')
    pair = ('--distiller', gld)
    for tool, more in ((local_predictions, pair), (activation_map, pair),
                       (compare_predictions, ())):
        draw(tool, *args, *more)
        assert Path('work_dirs/figures',
                    f'{tool.__name__}_ssd300_r18_voc_photo.png').exists()


def test_relations_are_drawn_with_their_difference(pair, capsys):
    draw(relation_matrix, *pair, '--index', *range(4), '--out', 'r.png')
    assert size('r.png') == (960, 864)
    drawn = [axis for axis in plt.gcf().axes if axis.get_title()]
    assert [len(axis.images) for axis in drawn] == [1, 1, 1]
    assert re.match(r'GLD - teacher, loss \d\.\d\de', drawn[-1].get_title())
    with pytest.raises(UserError, match='teacher has 1 sets'):
        draw(relation_matrix, *pair, '--set', 1)


def test_the_ablation_has_all_seeds_of_the_last_epoch(tmp_path):

    def add(experiment, seed, top1, epochs=2, teacher=4):
        folder = tmp_path / f'{experiment}_{seed}'.replace('/', '_')
        folder.mkdir()
        (folder / 'result.json').write_text(
            json.dumps(
                dict(
                    experiment=experiment,
                    seed=seed,
                    epochs=epochs,
                    teacher_epochs=teacher,
                    last=dict(top1=top1),
                    best=dict(top1=99.))))

    add('b/baseline', 0, 20., teacher=None)
    add('b/gld', 0, 33.)
    add('b/gld', 1, 35.)
    add('b/global', 0, 27.)
    add('b/kd', 0, 30.)  # no part of the ablation
    add('b/gld', 2, 50., teacher=8)  # another teacher, without an ablation
    add('a/gld', 0, 70., epochs=200)  # of a setup without one
    panels = ablation.panels(tmp_path)
    assert panels == {
        ('b', 2, 4): dict(baseline=[20.], gld=[33., 35.], **{'global': [27.]})
    }
    figure, axis = ablation.plt.subplots()
    ablation.draw(axis, panels['b', 2, 4], '')
    heights = {
        axis.get_xticklabels()[round(bar.get_center()[0])].get_text():
        bar.get_height()
        for bar in axis.patches
    }
    assert heights == {'none': 20, 'global': 27, 'all': 34}
    draw(ablation, tmp_path)
    assert Path('work_dirs/figures/ablation.png').exists()


def test_curves_of_a_resumed_run_are_one_line(tmp_path):

    def log(start, *lines):
        folder = tmp_path / 'run' / start / 'vis_data'
        folder.mkdir(parents=True)
        text = '\n'.join(map(json.dumps, lines)) + '\n{"step": 3'  # a kill
        (folder / 'scalars.json').write_text(text)

    log('20260101_000000', dict(step=0, **{'teacher/mIoU': 70.}),
        dict(step=10, loss=3.), dict(step=20, loss=2.5))
    log('20260101_000100', dict(step=20, loss=2.), dict(step=30, loss=1.),
        dict(step=1, mIoU=50.))
    curves = learning_curves.read(tmp_path / 'run')
    assert curves['loss'] == {10: 3., 20: 2., 30: 1.}
    assert learning_curves.default_keys(dict(run=curves)) == ['loss', 'mIoU']
    file = tmp_path / 'run' / '20260101_000100' / 'vis_data' / 'scalars.json'
    assert learning_curves.read(file)['loss'] == {20: 2., 30: 1.}
    draw(learning_curves, '--run', 'GLD', tmp_path / 'run')
    assert size('work_dirs/figures/learning_curves.png') == (1008, 360)
    with pytest.raises(UserError, match='No run logged "top1". Known are'):
        draw(learning_curves, '--run', 'GLD', tmp_path / 'run', '--keys',
             'top1')


def test_terms_are_measured_with_the_norm_of_their_gradient():

    class Model(torch.nn.Module):
        """Its loss is a known function of its weights."""

        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList(
                [torch.tensor([1., 2.]),
                 torch.tensor(3.)])

        def data_preprocessor(self, data, training):
            assert training
            return data

        def forward(self, inputs, mode):
            vector, scalar = self.weights
            return {
                'loss_both': inputs * (3 * vector[0] + 4 * scalar),
                'loss_levels': [vector.sum(), vector.square()],
                'loss_constant': torch.tensor(5.),
                'accuracy': scalar
            }

    assert loss_terms.measure(Model(), dict(inputs=torch.tensor(2.))) == {
        'loss_both': [30, 10],
        # 3 and the mean of 1 and 4; its gradient is (1 + 1, 1 + 2)
        'loss_levels': [5.5, pytest.approx(13**.5)]
    }


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_the_terms_of_a_pair_are_listed(pair, capsys):
    draw(loss_terms, pair[-2], '--student', pair[-1], '--batches', 1,
         '--cfg-options', 'model.teacher_ckpt=None')
    table = capsys.readouterr().out
    for name in ('student.loss', 'distill.loss_global', 'distill.loss_local',
                 'distill.loss_relation'):
        assert len(re.findall(rf'{name} .* [\d.e-]+ .* [\d.e-]+ ', table)) == 1


@pytest.mark.parametrize('tool, args, message', [
    (learning_curves, ['--run', 'x', 'nowhere'], 'nowhere has no log'),
    (ablation, ['nowhere'], 'nowhere has no ablation'),
])
def test_missing_runs_are_an_error(tool, args, message):
    with pytest.raises(UserError, match=message):
        draw(tool, *args)


def test_a_missing_index_or_checkpoint_or_distiller_is_an_error(pair):
    with pytest.raises(UserError, match='There is no image 2000'):
        draw(activation_map, *pair, '--index', 2000)
    with pytest.raises(UserError, match='checkpoint "no.pth" does not exist'):
        draw(activation_map, *pair[:3], 'no.pth')
    with pytest.raises(UserError, match='None of the networks was distilled'):
        draw(relation_matrix, *pair[:4])
    with pytest.raises(UserError, match='does not distil with GLD'):
        draw(relation_matrix, *pair, '--distiller', pair[2])


def test_an_error_of_a_tool_is_printed_in_one_line(tmp_path):
    result = subprocess.run(
        [sys.executable, ROOT / 'tools/analysis/ablation.py', 'nowhere'],
        capture_output=True,
        text=True)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith('nowhere has no ablation')
    assert 'Traceback' not in result.stderr
