# Copyright (c) gld_mm authors. All rights reserved.
from urllib.error import URLError

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from gld_mm.engine.runner import CheckedRunner
from gld_mm.errors import UserError

from ...conftest import classifier, distillation
from ...two_processes import free_port

pytest.importorskip('sklearn')


def loader(num_workers=0, batch_size=32, **dataset):
    dataset = dataset or dict(
        type='NoisyDigits', num_samples=64, pipeline=[dict(type='PackInputs')])
    return dict(
        batch_size=batch_size,
        num_workers=num_workers,
        dataset=dataset,
        sampler=dict(type='DefaultSampler', shuffle=True))


def config(work_dir, **changes):
    return Config(
        dict(
            runner_type='CheckedRunner',
            model=classifier(num_classes=100),
            work_dir=str(work_dir),
            train_dataloader=loader(),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            default_scope='mmpretrain',
            experiment_name=work_dir.name,
            **changes))


@pytest.fixture
def build(mmpretrain_scope):
    return CheckedRunner.build_dataloader


def test_a_config_gets_it_by_its_runner_type(tmp_path):
    runner = RUNNERS.build(config(tmp_path))
    assert type(runner) is CheckedRunner
    runner.train()
    assert runner.epoch == 1


@pytest.mark.parametrize('dataset, message', [
    (dict(type='CUB', data_root='nowhere'),
     'CUB: nowhere/images.txt is missing. Expected below nowhere: '),
    (dict(type='NoisyDigits', split='trian'),
     'NoisyDigits in None cannot be read: split should be train or test, '
     'got "trian".'),
    (dict(type='NoisyDigist'),
     "NoisyDigist in None cannot be read: 'NoisyDigist is not in the"),
])
def test_a_dataset_that_cannot_be_read_is_one_line(build, dataset, message):
    with pytest.raises(UserError) as error:
        build(loader(**dataset))
    assert str(error.value).startswith(message)


def test_errors_of_the_users_own_dataset_are_left_alone(build):

    class Mine:

        def __init__(self):
            raise KeyError('my own mistake')

    with pytest.raises(KeyError, match='my own mistake'):
        build(loader(type=Mine))
    with pytest.raises(KeyError, match='my own mistake'):
        build(loader(type='RepeatDataset', times=2, dataset=dict(type=Mine)))


def test_errors_that_are_not_the_datasets_are_left_alone(build):
    with pytest.raises(ValueError, match='batch_size'):
        build(loader(batch_size=0))


def test_workers_live_on_unless_the_config_says_otherwise(build):
    assert build(loader(num_workers=1)).persistent_workers
    stopping = dict(loader(num_workers=1), persistent_workers=False)
    assert not build(stopping).persistent_workers
    assert not build(loader(num_workers=0)).persistent_workers
    mmpretrains = dict(loader(num_workers=0), persistent_workers=True)
    assert not build(mmpretrains).persistent_workers


@pytest.mark.filterwarnings('ignore:.*pin_memory')
def test_batches_are_made_as_by_mmpretrains_tools(build):
    made = build(loader())
    assert made.pin_memory
    assert next(iter(made))['inputs'].shape[0] == 32  # one tensor
    listed = dict(
        loader(), collate_fn=dict(type='pseudo_collate'), pin_memory=False)
    made = build(listed)
    assert not made.pin_memory
    assert isinstance(next(iter(made))['inputs'], list)


def test_a_dataloader_that_is_built_stays_as_it_is(build):
    made = build(loader())
    assert build(made) is made
    assert len(build(dict(loader(), dataset=made.dataset)).dataset) == 64


def test_settings_of_the_wrapper_win_without_a_gpu(monkeypatch):
    given = []
    monkeypatch.setattr(Runner, 'wrap_model',
                        lambda self, cfg, model: given.append(cfg))
    runner = CheckedRunner.__new__(CheckedRunner)
    runner.cfg = Config(dict(find_unused_parameters=True))
    monkeypatch.setattr(CheckedRunner, 'distributed', True)
    monkeypatch.setattr('gld_mm.engine.runner.checked_runner.get_device',
                        lambda: 'cpu')
    runner.wrap_model(dict(type='Mine', broadcast_buffers=True), None)
    assert given == [
        dict(
            type='Mine',
            device_ids=None,
            broadcast_buffers=True,
            find_unused_parameters=True)
    ]


def test_an_unknown_optimizer_is_one_line(tmp_path):
    cfg = config(tmp_path)
    cfg.optim_wrapper.optimizer.type = 'SDG'
    with pytest.raises(UserError, match='"SDG" is not the name of an opt'):
        RUNNERS.build(cfg).train()


def test_a_missing_annotation_file_of_the_evaluator_is_one_line(tmp_path):
    pytest.importorskip('mmdet')
    runner = RUNNERS.build(config(tmp_path))
    metric = dict(type='mmdet.CocoMetric', ann_file=str(tmp_path / 'a.json'))
    with pytest.raises(
            UserError, match='a.json is missing: set ann_file of val_eval'):
        runner.build_evaluator(metric)


def test_a_failed_download_says_where_weights_go(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))

    class Offline(Hook):

        def before_run(self, runner):
            raise URLError('no network')

    runner = RUNNERS.build(config(tmp_path))
    runner.register_hook(Offline())
    with pytest.raises(
            UserError,
            match=rf'\(no network\).* into {tmp_path}/hub/checkpoints$'):
        runner.train()


@pytest.mark.parametrize('content, message', [
    (None, '" does not exist'),
    (b'text', '" cannot be read as a file of plain weights'),
])
def test_a_checkpoint_that_cannot_be_read_is_one_line(tmp_path, content,
                                                      message):
    path = tmp_path / 'a.pth'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f'{path}{message}'):
        RUNNERS.build(config(tmp_path / 'run', load_from=str(path))).train()


def test_a_run_resumes_from_the_newest_checkpoint_that_is_whole(tmp_path):
    cfg = config(tmp_path, resume=True)
    RUNNERS.build(cfg).train()
    cfg.train_cfg.max_epochs = 3
    (tmp_path / 'epoch_2.pth').write_bytes(
        (tmp_path / 'epoch_1.pth').read_bytes()[:-1000])
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_2.pth'))

    class Start(Hook):

        def before_train(self, runner):
            self.epoch = runner.epoch

    start = Start()
    cfg.experiment_name = 'again'
    runner = RUNNERS.build(cfg)
    runner.register_hook(start)
    with pytest.warns(UserWarning, match='epoch_2.pth is cut off'):
        runner.train()
    assert (start.epoch, runner.epoch) == (1, 3)


def test_a_file_without_the_state_of_a_training_cannot_be_resumed(tmp_path):
    runner = RUNNERS.build(config(tmp_path / 'run', resume=True))
    weights = dict(state_dict=runner.model.state_dict())
    for meta in (dict(), dict(meta=dict(epoch=1))):
        torch.save(dict(weights, **meta), tmp_path / 'a.pth')
        with pytest.raises(
                UserError,
                match='a.pth" cannot be resumed, it has no .* by '
                'load_from, without --resume.$'):
            runner.resume(str(tmp_path / 'a.pth'))


SLURM = dict(
    SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_NODELIST='a', SLURM_LOCALID='0')
TORCHRUN = dict(RANK='0', WORLD_SIZE='1', LOCAL_RANK='0')


@pytest.mark.skipif(torch.cuda.is_available(), reason='a GPU is used here')
@pytest.mark.parametrize('launcher, variables', [('pytorch', TORCHRUN),
                                                 ('slurm', SLURM)])
def test_launchers_start_without_a_gpu(tmp_path, monkeypatch, launcher,
                                       variables):
    for name, value in dict(
            variables, MASTER_ADDR='127.0.0.1',
            MASTER_PORT=str(free_port())).items():
        monkeypatch.setenv(name, value)
    for name in {*TORCHRUN} - {*variables}:  # which mmengine will set
        monkeypatch.setenv(name, '9')
    select = torch.cuda.set_device
    ends = []
    monkeypatch.setattr('atexit.register', ends.append)
    try:
        runner = RUNNERS.build(
            config(
                tmp_path,
                launcher=launcher,
                sync_bn='torch',
                env_cfg=dict(dist_cfg=dict(backend='nccl'))))
        assert dist.get_backend() == 'gloo'
        assert torch.cuda.set_device is select
        assert is_model_wrapper(runner.model)
        runner.train()
        assert runner.epoch == 1
        end, = ends
        end()
        assert not dist.is_initialized()
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def test_one_process_needs_no_end(tmp_path, monkeypatch):
    ends = []
    monkeypatch.setattr('atexit.register', ends.append)
    RUNNERS.build(config(tmp_path)).train()
    assert not ends


def test_it_is_mmengines_runner_in_all_else():
    own = {k for k in vars(CheckedRunner) if not k.startswith('__')}
    assert own == {
        'setup_env', 'wrap_model', 'build_dataloader', 'build_evaluator',
        'build_optim_wrapper', 'scale_lr', 'dump_config', 'load_or_resume',
        'resume', 'load_checkpoint', 'train', 'test', '_maybe_compile'
    }
    assert CheckedRunner.__mro__[1] is Runner


@pytest.mark.parametrize('changes, warned', [
    (dict(base_batch_size=32), False),
    (dict(base_batch_size=256), True),
    (dict(base_batch_size=256, enable=True), False),
    (None, False),
])
def test_a_learning_rate_of_another_batch_size_is_said(tmp_path, changes,
                                                       warned):
    RUNNERS.build(config(tmp_path, auto_scale_lr=changes)).train()
    log, = tmp_path.rglob('*.log')
    line = 'A step has 32 images on all GPUs, the learning rate is for 256'
    assert (line in log.read_text()) == warned


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
def test_compile_of_a_config_compiles_student_and_teacher(
        tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        'gld_mm.engine.runner.checked_runner.compile_parts',
        lambda network, **options: calls.append((network, options)))
    cfg = config(tmp_path, compile=dict(backend='eager'))
    cfg.model = distillation()
    runner = RUNNERS.build(cfg)
    runner.train()
    options = dict(backend='eager')
    assert calls == [(runner.model, options), (runner.model.teacher, options)]


def test_an_optimizer_of_the_hosts_is_known(tmp_path):
    cfg = config(tmp_path)
    cfg.optim_wrapper.optimizer.type = 'Lamb'  # mmpretrain's
    RUNNERS.build(cfg).train()
