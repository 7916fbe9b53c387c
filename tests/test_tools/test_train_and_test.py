# Copyright (c) gld_mm authors. All rights reserved.
"""The tools as a user runs them, on a small part of the demo's task."""
import json
import re
import runpy
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import mmengine
import pytest
import torch
from mmengine.config import Config

from gld_mm.config import distill
from gld_mm.errors import UserError

from ..in_process import run_tool

pytest.importorskip('sklearn')

ROOT = Path(__file__).parents[2]
SMALL = [
    'train_dataloader.dataset.num_samples=192',
    'val_dataloader.dataset.num_samples=100', 'randomness.seed=0'
]
STUDENT = 'configs/gld/r14_r8_digits.py'
BASELINE = 'configs/baseline/r8_digits.py'


def run(tool, *args):
    """Run a tool as a process of its own; return its status and output."""
    result = subprocess.run([sys.executable, *map(str, (tool, *args))],
                            cwd=ROOT,
                            capture_output=True,
                            text=True)
    return result.returncode, result.stdout + result.stderr


def train(config, work_dir, *options, epochs=2, args=()):
    return run_tool('tools/train.py', config, '--work-dir', work_dir, *args,
                    '--cfg-options', f'train_cfg.max_epochs={epochs}', *SMALL,
                    *options)


@pytest.fixture
def tool():
    return runpy.run_path(str(ROOT / 'tools' / 'train.py'))


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    folder = tmp_path_factory.mktemp('teacher')
    train('configs/baseline/r14_digits.py', folder, epochs=1)
    return f'model.teacher_ckpt={folder}/epoch_1.pth'


@pytest.fixture(scope='module')
def whole(tmp_path_factory, teacher):
    """A GLD student of two epochs, in one go."""
    folder = tmp_path_factory.mktemp('whole')
    return folder, train(STUDENT, folder, teacher)


def weights(path):
    return torch.load(
        path, map_location='cpu', weights_only=True)['state_dict']


def test_training_logs_the_teacher_and_every_term(whole):
    folder, output = whole
    assert re.search(r'Before training.*teacher/accuracy/top1: \d', output)
    path = next(folder.glob('*/vis_data/scalars.json'))
    records = [json.loads(line) for line in path.read_text().splitlines()]
    step = next(r for r in records if 'loss' in r)
    terms = [
        step[f'distill.loss_{x}'] for x in ('global', 'local', 'relation')
    ]
    assert step['loss'] == pytest.approx(step['student.loss'] + sum(terms))


def test_a_run_that_stopped_after_an_epoch_resumes_to_the_same_student(
        tmp_path, teacher, whole):
    train(STUDENT, tmp_path, teacher, epochs=1)
    output = train(STUDENT, tmp_path, teacher, args=['--resume'])
    assert 'resumed epoch: 1' in output and 'Before training' not in output
    ours = weights(tmp_path / 'epoch_2.pth')
    theirs = weights(whole[0] / 'epoch_2.pth')
    assert all(ours[k].equal(v) for k, v in theirs.items())


def test_resume_without_a_checkpoint_keeps_what_the_config_starts_from(
        tmp_path, tool):
    args = tool['parse_args'](['x.py', '--resume', f'--work-dir={tmp_path}'])
    cfg = tool['merge_args'](Config(dict(load_from='a.pth')), args)
    assert (cfg.resume, cfg.load_from) == (False, 'a.pth')


def test_the_student_scores_the_same_in_its_own_config_and_in_mmpretrains_tool(
        tmp_path, whole):
    import mmpretrain
    stock = Path(mmpretrain.__file__).parent / '.mim' / 'tools' / 'test.py'
    folder, output = whole
    last = re.findall(r'Epoch\(val\).*accuracy/top1: ([\d.]+)', output)[-1]
    options = ['--cfg-options', 'test_dataloader.dataset.num_samples=100']
    checkpoint = folder / 'epoch_2.pth'
    for tool, config in (('tools/test.py', STUDENT), (stock, BASELINE)):
        result = tmp_path / 'metrics.json'
        code, text = run(tool, config, checkpoint, '--work-dir', tmp_path,
                         '--out', result, '--out-item', 'metrics', *options)
        assert code == 0, text
        metrics = json.loads(result.read_text())
        assert metrics['accuracy/top1'] == pytest.approx(float(last), abs=1e-3)


def test_tta_averages_the_scores_of_an_image_and_its_mirror_image(
        tmp_path, whole):
    mirrored = tmp_path / 'mirrored.py'
    mirrored.write_text(f"""
_base_ = '{ROOT / STUDENT}'
test_dataloader = dict(dataset=dict(pipeline=[
    dict(type='RandomFlip', prob=1.), dict(type='PackInputs')]))
""")

    def scores(config, *args):
        run_tool('tools/test.py', config, whole[0] / 'epoch_2.pth', *args,
                 '--work-dir', tmp_path, '--out', tmp_path / 'x.pkl',
                 '--cfg-options', 'test_dataloader.dataset.num_samples=50')
        return torch.stack(
            [x['pred_score'] for x in mmengine.load(tmp_path / 'x.pkl')])

    image, mirror = scores(STUDENT), scores(mirrored)
    assert (image - mirror).abs().max() > 0.01
    torch.testing.assert_close(scores(STUDENT, '--tta'), (image + mirror) / 2)


def test_tta_shows_detectors_the_image_with_its_ground_truth_first():
    tool = runpy.run_path(str(ROOT / 'tools/test.py'))
    args = tool['parse_args'](['x.py', 'x.pth', '--tta'])
    cfg = tool['merge_args'](Config.fromfile(
        ROOT / 'configs/gld/ssd300_r34_r18_voc.py'), args)
    assert cfg.model.type == 'DetTTAModel'
    assert cfg.model.module.type == 'SingleStageDetector'
    *_, augment = cfg.test_dataloader.dataset.pipeline
    flips, (pack, ) = augment.transforms
    assert [flip.prob for flip in flips] == [0, 1]
    assert pack.meta_keys[-2:] == ('flip', 'flip_direction')


def test_tta_of_images_in_memory_is_refused():
    augment = runpy.run_path(str(ROOT / 'tools/test.py'))['augment']
    with pytest.raises(UserError, match='test with the dataset inside it'):
        augment(
            Config(
                dict(
                    default_scope='mmpretrain',
                    test_dataloader=dict(dataset=dict(
                        type='InMemoryDataset')))))


def test_local_predictions_are_drawn_for_each_network_and_image(
        tmp_path, whole):
    from PIL import Image
    network = [STUDENT, whole[0] / 'epoch_2.pth']
    run_tool('tools/analysis/local_predictions.py', '--network', 'A', *network,
             '--network', 'B', *network, '--index', 0, 1, 2, '--out',
             tmp_path / 'x.png')
    # 2.1 inches an image and 0.4 for names; 2.3 inches a network; 120 dpi.
    image = Image.open(tmp_path / 'x.png').convert('L')
    assert image.size == (804, 552)
    # Grey images and coloured answers in each of the six panels.
    for row in range(2):
        for column in range(3):
            panel = image.crop((60 + 245 * column, 70 + 250 * row,
                                220 + 245 * column, 240 + 250 * row))
            assert len(set(panel.tobytes())) > 50


def test_a_missing_teacher_stops_before_training_with_the_command(tmp_path):
    code, output = run('tools/train.py', STUDENT, '--work-dir', tmp_path,
                       '--cfg-options', 'model.teacher_ckpt=nowhere.pth')
    assert code == 1 and 'Traceback' not in output
    last = output.strip().splitlines()[-1]
    assert last == (
        'teacher_ckpt "nowhere.pth" does not exist. Train it with: '
        'python tools/train.py configs/baseline/r14_digits.py')


@pytest.mark.skipif(
    not torch.cuda.is_available(), reason='mmengine has AMP on a GPU only')
def test_mixed_precision_trains(tmp_path, teacher):
    output = train(STUDENT, tmp_path, teacher, epochs=1, args=['--amp'])
    assert 'Epoch(val) [1]' in output


def test_the_config_runs_under_mmrazors_own_tool(tmp_path, teacher):
    import mmrazor
    tool = Path(mmrazor.__file__).parent / '.mim' / 'tools' / 'train.py'
    code, output = run('-m', 'gld_mm.compat', tool, STUDENT, '--work-dir',
                       tmp_path, '--cfg-options', 'train_cfg.max_epochs=1',
                       *SMALL, teacher)
    assert code == 0, output
    assert (tmp_path / 'epoch_1.pth').exists()


def test_a_new_style_config_names_its_visualization_hook_otherwise():
    show = runpy.run_path(str(ROOT / 'tools/test.py'))['show']
    hook = dict(type='mmdet.engine.hooks.DetVisualizationHook')
    cfg = Config(dict(default_hooks=dict(visualization=hook)))
    show(cfg, Namespace(show=False, show_dir='drawn', wait_time=2, interval=1))
    hook = cfg.default_hooks.visualization
    assert hook.draw and hook.test_out_dir == 'drawn'


def test_a_window_leaves_the_folder_of_the_visualizer_alone():
    show = runpy.run_path(str(ROOT / 'tools/test.py'))['show']
    cfg = Config(
        dict(
            visualizer=dict(type='SegLocalVisualizer'),
            default_hooks=dict(
                visualization=dict(type='SegVisualizationHook'))))
    show(cfg, Namespace(show=True, show_dir=None, wait_time=2, interval=1))
    assert cfg.default_hooks.visualization.draw
    assert 'save_dir' not in cfg.visualizer


def test_a_config_that_draws_nothing_says_what_it_lacks():
    show = runpy.run_path(str(ROOT / 'tools/test.py'))['show']
    with pytest.raises(UserError, match='need default_hooks.visualization'):
        show(
            Config(dict(default_hooks=dict())),
            Namespace(show=True, show_dir=None, wait_time=2, interval=1))


PAIR = [
    str(ROOT / f'configs/baseline/r{depth}_digits.py') for depth in (8, 14)
]


def test_the_config_of_a_pair_inherits_the_students(tmp_path):
    student, teacher = PAIR
    run_tool('tools/train.py', student, '--teacher', teacher, '--teacher-ckpt',
             'teacher.pth', '--dump', tmp_path / 'pair.py', '--cfg-options',
             'model.architecture.head.cal_acc=True', 'train_cfg.max_epochs=3')
    text = (tmp_path / 'pair.py').read_text()
    assert text.startswith(f"_base_ = '{student}'")
    assert 'architecture=dict(_base_.model' in text
    expected = distill(student, teacher, 'teacher.pth')
    expected.model.architecture.head.cal_acc = True
    expected.train_cfg.max_epochs = 3
    written = Config.fromfile(tmp_path / 'pair.py')
    assert written.to_dict() == expected.to_dict()


@pytest.mark.parametrize('method', ['gld', 'kd'])
def test_a_pair_of_one_flag_has_a_work_dir_of_its_own(tool, method):
    student, teacher = PAIR
    alone = tool['parse_args']([student])
    pair = tool['parse_args'](
        [student, '--teacher', teacher, '--method', method])
    folders = [
        tool['merge_args'](Config(), args).work_dir for args in (alone, pair)
    ]
    assert folders == ['work_dirs/r8_digits', f'work_dirs/r8_digits_{method}']


def test_switches_of_the_command_line_reach_the_config(tool):
    cfg = tool['merge_args'](Config(
        dict(
            optim_wrapper=dict(type='OptimWrapper'),
            val_cfg=dict(),
            auto_scale_lr=dict(base_batch_size=64))), tool['parse_args'](
                ['x.py', '--amp', '--no-validate', '--auto-scale-lr']))
    assert cfg.optim_wrapper == dict(
        type='AmpOptimWrapper', loss_scale='dynamic')
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    assert cfg.auto_scale_lr.enable


def test_mixed_precision_reaches_the_test_loop():
    test = runpy.run_path(str(ROOT / 'tools/test.py'))
    cfg = Config(dict(test_cfg=dict(), model=dict(type='A')))
    args = test['parse_args'](['x', 'y', '--amp'])
    assert test['merge_args'](cfg, args).test_cfg.fp16


@pytest.mark.parametrize('option', [
    '--teacher-ckpt=a.pth', '--teacher-classes=a', '--dump=a.py', '--method=kd'
])
def test_what_needs_a_teacher_is_not_ignored_without_one(tool, option, capsys):
    with pytest.raises(SystemExit):
        tool['parse_args']([PAIR[0], option])
    assert 'need --teacher.' in capsys.readouterr().err


@pytest.mark.parametrize('option', [
    '--amp', '--auto-scale-lr', '--resume', '--work-dir=a', '--launcher=slurm'
])
def test_what_a_written_pair_would_not_have_is_refused(tool, option, capsys):
    with pytest.raises(SystemExit):
        tool['parse_args']([*PAIR[:1], '--teacher=t', '--dump=a.py', option])
    assert 'when you train it' in capsys.readouterr().err


def dump(student, path):
    run_tool('tools/train.py', student, '--teacher', PAIR[1], '--teacher-ckpt',
             'teacher.pth', '--dump', path)
    return path


def test_a_work_dir_in_the_students_config_stays_that_of_the_student(tmp_path):
    student = tmp_path / 'mine.py'
    student.write_text(f"_base_ = '{PAIR[0]}'\nwork_dir = 'runs/alone/'\n")
    pair = Config.fromfile(dump(student, tmp_path / 'pair.py'))
    assert pair.work_dir == 'runs/alone_gld'


def test_a_pair_is_written_into_a_new_folder_but_not_over_its_student(
        tmp_path):
    assert dump(PAIR[0], tmp_path / 'new' / 'pair.py').exists()
    student = tmp_path / 'mine.py'
    student.write_text(text := f"_base_ = '{PAIR[0]}'\n")
    with pytest.raises(UserError, match='would overwrite the config'):
        dump(student, student)
    assert student.read_text() == text


def test_the_pair_of_a_new_style_student_is_written_whole(tmp_path):
    student = tmp_path / 'mine.py'
    student.write_text('''
from mmpretrain.models import (CrossEntropyLoss, GlobalAveragePooling,
                               ImageClassifier, LinearClsHead, ResNet_CIFAR)
default_scope = 'mmpretrain'
model = dict(
    type=ImageClassifier,
    backbone=dict(type=ResNet_CIFAR, depth=18),
    neck=dict(type=GlobalAveragePooling),
    head=dict(type=LinearClsHead, num_classes=10, in_channels=512,
              loss=dict(type=CrossEntropyLoss)))
''')
    model = Config.fromfile(dump(student, tmp_path / 'pair.py')).model
    assert model.architecture.backbone.depth == 18
    assert model.teacher.backbone.depth == 14


def test_a_written_pair_of_a_distillations_student_is_that_of_the_student(
        tmp_path):
    pairs = [
        Config.fromfile(dump(ROOT / student, tmp_path / 'pair.py')).model
        for student in (STUDENT, BASELINE)
    ]
    assert pairs[0].architecture.type == 'ImageClassifier'
    assert pairs[0].architecture.backbone == pairs[1].architecture.backbone


def test_a_test_leaves_the_config_of_the_training_in_the_work_dir(
        tmp_path, whole):
    folder, _ = whole
    path = folder / Path(STUDENT).name
    before = path.read_text()
    assert 'teacher_ckpt' in before
    run_tool('tools/test.py', STUDENT, folder / 'epoch_2.pth', '--work-dir',
             folder, '--out', tmp_path / 'x.pkl', '--cfg-options', *SMALL)
    assert path.read_text() == before
    assert (folder / f'test_{path.name}').exists()
    assert len(mmengine.load(tmp_path / 'x.pkl')) == 2000


@pytest.mark.parametrize('args, message', [
    (['--out=x.txt'], 'x.txt should end with .pkl or .pickle'),
    (['--out=x', '--out-item=metrics'], 'x should end with .* or .json'),
])
def test_a_file_of_another_kind_is_refused_before_the_test(args, message):
    with pytest.raises(UserError, match=message):
        run_tool('tools/test.py', BASELINE, 'none.pth', *args)


@pytest.mark.parametrize('option, message',
                         [('--out-item=pred', 'needs --out'),
                          ('--interval=0', 'at least 1')])
def test_an_option_that_would_do_nothing_is_refused(option, message, capsys):
    tool = runpy.run_path(str(ROOT / 'tools/test.py'))
    with pytest.raises(SystemExit):
        tool['parse_args']([BASELINE, 'none.pth', option])
    assert message in capsys.readouterr().err


def test_predicted_masks_go_to_a_folder_as_in_mmseg():
    tool = runpy.run_path(str(ROOT / 'tools/test.py'))
    cfg = Config(
        dict(default_scope='mmseg', test_evaluator=dict(type='IoUMetric')))
    args = Namespace(out='masks', out_item=None)
    assert not tool['prepare_out'](cfg, args)
    assert cfg.test_evaluator == dict(
        type='IoUMetric', output_dir='masks', keep_results=True)


def test_mmdet_draws_every_image():
    show = runpy.run_path(str(ROOT / 'tools/test.py'))['show']
    hook = dict(type='DetVisualizationHook')
    cfg = Config(dict(default_hooks=dict(visualization=hook)))
    with pytest.raises(UserError, match='every image'):
        show(cfg, Namespace(show=0, show_dir='x', wait_time=2, interval=5))
