# Copyright (c) gld_mm authors. All rights reserved.
import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import load_checkpoint, save_checkpoint
from mmpretrain.registry import MODELS as CLS_MODELS
from mmrazor.registry import MODELS
from torch import nn

from gld_mm.config import student_of
from gld_mm.errors import UserError

from ...conftest import KD, classifier, distillation

pytestmark = [
    pytest.mark.usefixtures('mmpretrain_scope'),
    pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
]

ZERO = dict(type='mmrazor.GLDDistiller', alpha=0, beta=0, gamma=0)
HINT = 'Train it with: python tools/train.py configs/baseline/x.py'


def build(**changes):
    torch.manual_seed(0)
    return MODELS.build(distillation(**changes))


def plain_student(model, cfg=None):
    """A network of the student's own class with the student's weights."""
    plain = CLS_MODELS.build(cfg or classifier())
    plain.load_state_dict(model.state_dict())
    return plain


def teacher_file(folder, cfg=None, **changes):
    """A checkpoint of a tiny teacher."""
    model = CLS_MODELS.build(cfg or classifier(14, **changes))
    path = str(folder / 'teacher.pth')
    save_checkpoint(dict(state_dict=model.state_dict()), path)
    return model, path


def step(model, batch, lr=0.1):
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr))
    inputs, samples = batch
    losses, _ = model.parse_losses(model(inputs, samples, mode='loss'))
    wrapper.update_params(losses)


def test_what_is_set_beside_the_student_and_not_for_it_is_refused():
    with pytest.raises(UserError, match='set model.architecture.head'):
        build(head=dict(num_classes=7))
    with pytest.raises(TypeError, match='teacher_chkpt has no effect'):
        build(
            architecture=CLS_MODELS.build(classifier()), teacher_chkpt='x.pth')


class TestTeacher:

    def test_its_weights_are_those_of_its_checkpoint(self, tmp_path):
        teacher, path = teacher_file(tmp_path)
        loaded = build(
            teacher_ckpt=path, prepare_teacher=False).teacher.state_dict()
        assert all(loaded[k].equal(v) for k, v in teacher.state_dict().items())

    def test_one_that_is_built_keeps_its_weights(self, recwarn):
        teacher = CLS_MODELS.build(classifier(14))
        weights = copy.deepcopy(teacher.state_dict())
        model = build(teacher=teacher)
        model.init_weights()
        assert all(model.teacher.state_dict()[k].equal(v)
                   for k, v in weights.items())
        assert not [w for w in recwarn if 'untrained' in str(w.message)]

    def test_it_stays_in_eval_mode_whatever_train_says(self):
        cfg = classifier(14)
        cfg['backbone'] = dict(
            type='mmpretrain.CifarResNet',
            depth=14,
            base_channels=4,
            drop_path_rate=0.5)
        model = build(teacher=cfg)
        assert model.train() is model and model.eval() is model
        model.train(True)
        assert model.training
        assert not any(m.training for m in model.teacher.modules())

    def test_a_step_leaves_it_as_it_was(self, batch):
        model = build().train()
        before = copy.deepcopy(model.teacher.state_dict())
        student = copy.deepcopy(model.state_dict())
        step(model, batch)
        after = model.teacher.state_dict()
        assert all(after[k].equal(v) for k, v in before.items())
        assert not model.head.fc.weight.equal(student['head.fc.weight'])

    def test_it_is_not_among_the_parameters(self):
        model = build()
        teachers = {id(p) for p in model.teacher.parameters()}
        assert not teachers & {id(p) for p in model.parameters()}
        assert [name for name, _ in model.named_parameters()] == [
            name for name, _ in plain_student(model).named_parameters()
        ]

    def test_it_runs_its_network_and_no_loss(self, batch, monkeypatch):
        model = build()
        monkeypatch.setattr(model.teacher.head, 'loss', None)
        model.loss(*batch)

    def test_it_follows_the_student_to_another_precision(self, batch):
        model = build().double()
        losses = model.loss(batch[0].double(), batch[1])
        assert next(model.teacher.parameters()).dtype == torch.float64
        assert losses['distill.loss_relation'].dtype == torch.float64

    def test_it_draws_nothing_from_the_students_random_numbers(self):
        torch.manual_seed(0)
        alone = CLS_MODELS.build(classifier())
        alone.init_weights()
        model = build()
        model.init_weights()
        weights = model.state_dict()
        assert all(weights[k].equal(v) for k, v in alone.state_dict().items())

    def test_a_student_with_learned_connectors_can_be_a_teacher(
            self, tmp_path):
        teacher, path = teacher_file(tmp_path)
        state = dict(teacher.state_dict())
        state['distiller.connectors.c.weight'] = torch.zeros(1)
        torch.save(dict(state_dict=state), path)
        assert build(teacher_ckpt=path)

    def test_it_cannot_be_made_trainable(self):
        with pytest.raises(TypeError, match='teacher_trainable'):
            build(teacher_trainable=True)

    def test_without_a_checkpoint_it_warns(self):
        with pytest.warns(UserWarning, match='untrained'):
            build(teacher_ckpt=None)

    def test_without_a_checkpoint_its_init_cfg_counts(self, tmp_path):
        teacher, path = teacher_file(tmp_path)
        cfg = dict(
            classifier(14), init_cfg=dict(type='Pretrained', checkpoint=path))
        model = build(teacher=cfg, prepare_teacher=False)
        model.init_weights()
        loaded = model.teacher.state_dict()
        assert all(loaded[k].equal(v) for k, v in teacher.state_dict().items())


class TestPreparedTeacher:

    @pytest.mark.parametrize('source', ['checkpoint', 'init_cfg'])
    def test_it_has_no_batch_norms_and_gives_the_same_losses(
            self, batch, tmp_path, source):
        _, path = teacher_file(tmp_path)
        changes = dict(teacher_ckpt=path)
        if source == 'init_cfg':
            init_cfg = dict(type='Pretrained', checkpoint=path)
            changes = dict(teacher=dict(classifier(14), init_cfg=init_cfg))
        losses = []
        for prepare in (True, False):
            model = build(**changes, prepare_teacher=prepare)
            model.init_weights()
            folded = not any(
                isinstance(m, nn.BatchNorm2d) for m in model.teacher.modules())
            assert folded is prepare
            losses.append(model.loss(*batch))
        torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-6)

    def test_the_checkpoint_and_the_student_are_as_without_it(self, tmp_path):
        _, path = teacher_file(tmp_path)
        states = []
        for prepare in (True, False):
            torch.manual_seed(0)
            model = build(teacher_ckpt=path, prepare_teacher=prepare)
            model.init_weights()
            states.append(dict(model.state_dict(), random=torch.rand(3)))
        torch.testing.assert_close(*states, rtol=0, atol=0)

    def test_one_that_is_given_built_belongs_to_the_caller(self, tmp_path):
        teacher, path = teacher_file(tmp_path)
        names = [name for name, _ in teacher.named_parameters()]
        model = build(teacher=teacher, teacher_ckpt=path)
        model.init_weights()
        assert [name for name, _ in teacher.named_parameters()] == names


class TestTeacherCheckpoint:

    def error(self, path, **changes):
        with pytest.raises(UserError) as error:
            build(
                teacher_ckpt=str(path),
                teacher_config='configs/baseline/x.py',
                **changes)
        message = str(error.value)
        assert '\n' not in message
        assert f'"{path}"' in message and message.endswith(HINT)
        return message

    def test_a_missing_file_is_named(self, tmp_path):
        message = self.error(tmp_path / 'no.pth')
        assert 'does not exist' in message

    def test_a_broken_file_is_named(self, tmp_path):
        _, path = teacher_file(tmp_path)
        whole = (tmp_path / 'teacher.pth').read_bytes()
        (tmp_path / 'teacher.pth').write_bytes(whole[:len(whole) // 2])
        assert 'cannot be read' in self.error(path)

    def test_other_classes_are_named(self, tmp_path):
        _, path = teacher_file(tmp_path, num_classes=7)
        message = self.error(path)
        assert 'other classes: 2 weights differ in shape' in message
        assert '(7,) in the file and (10,) in the teacher' in message

    @pytest.mark.parametrize('depth, found', [
        (20, '0 weights of the teacher are missing and 36 are unknown'),
        (8, '30 weights of the teacher are missing and 0 are unknown'),
    ])
    def test_another_depth_is_another_network(self, tmp_path, depth, found):
        # A block has 2 convolutions and 2 batch norms of 5 tensors; three
        # blocks more or less. num_batches_tracked may be missing.
        _, path = teacher_file(tmp_path, classifier(depth))
        message = self.error(path)
        assert 'another network' in message and found in message

    def test_another_width_is_another_network(self, tmp_path):
        cfg = classifier(14)
        cfg['backbone']['base_channels'] = 8
        cfg['head']['in_channels'] = 32
        _, path = teacher_file(tmp_path, cfg)
        assert 'another network' in self.error(path)

    def test_weights_of_a_parallel_model_fit(self, tmp_path):
        teacher, path = teacher_file(tmp_path)
        state = {f'module.{k}': v for k, v in teacher.state_dict().items()}
        torch.save(state, path)
        assert build(teacher_ckpt=path)


class TestCheckpoint:

    def test_it_is_the_plain_student(self):
        model = build()
        saved, plain = model.state_dict(), plain_student(model).state_dict()
        assert list(saved) == list(plain)
        assert all(saved._metadata[k] == v for k, v in plain._metadata.items()
                   if k)

    def test_the_students_own_config_loads_it(self, tmp_path):
        model = build()
        save_checkpoint(
            dict(state_dict=model.state_dict()), str(tmp_path / 'x.pth'))
        plain = CLS_MODELS.build(classifier())
        load_checkpoint(plain, str(tmp_path / 'x.pth'), strict=True)
        images = torch.randn(2, 3, 16, 16)
        assert plain.eval()(images).equal(model.eval()(images))

    def test_the_distillation_model_loads_a_plain_student(self, tmp_path):
        plain = CLS_MODELS.build(classifier())
        save_checkpoint(
            dict(state_dict=plain.state_dict()), str(tmp_path / 'x.pth'))
        model = build()
        load_checkpoint(model, str(tmp_path / 'x.pth'), strict=True)
        assert model.head.fc.weight.equal(plain.head.fc.weight)
        model.load_state_dict(plain.state_dict(), strict=True)

    def test_a_learned_connector_keeps_its_name(self):
        distiller = dict(
            type='mmrazor.ConfigurableDistiller',
            connectors=dict(
                c=dict(
                    type='mmrazor.ConvModuleConnector',
                    in_channel=2,
                    out_channel=3)))
        saved = build(distiller=distiller).state_dict()
        assert 'distiller.connectors.c.conv_module.conv.weight' in saved
        build(distiller=distiller).load_state_dict(saved, strict=True)


class TestTaskLossWeight:

    @pytest.mark.parametrize('name', ['FrozenTeacherDistill', 'GLDDistill'])
    @pytest.mark.parametrize('distiller, weight, expected', [
        (KD, None, 1),
        (KD, 0.1, 0.1),
        (dict(type='mmrazor.GLDDistiller', alpha=0.7), None, 0.3),
        (dict(type='mmrazor.GLDDistiller', alpha=0.7), 0.5, 0.5),
    ])
    def test_it_is_that_of_the_algorithm_or_else_of_the_distiller(
            self, batch, name, distiller, weight, expected):
        model = build(
            type=f'mmrazor.{name}',
            distiller=distiller,
            task_loss_weight=weight)
        loss = model.loss(*batch)['student.loss'].item()
        alone = plain_student(model).loss(*batch)['loss'].item()
        assert loss == pytest.approx(expected * alone)

    def test_a_student_saved_by_kd_has_a_head_of_loss_weight_1(
            self, batch, tmp_path):
        cfg = distillation(distiller=KD, task_loss_weight=0.1)
        cfg['architecture']['head']['loss']['loss_weight'] = 1.
        torch.manual_seed(0)
        model = MODELS.build(cfg)
        save_checkpoint(
            dict(state_dict=model.state_dict()), str(tmp_path / 'x.pth'))
        saved = CLS_MODELS.build(student_of(Config(dict(model=cfg))).model)
        load_checkpoint(saved, str(tmp_path / 'x.pth'), strict=True)
        assert saved.head.loss_module.loss_weight == 1
        assert 0.1 * saved.loss(*batch)['loss'].item() == pytest.approx(
            model.loss(*batch)['student.loss'].item())


class TestStep:

    def test_with_weights_of_zero_it_is_vanilla_training_bit_for_bit(
            self, batch):
        model = build(distiller=ZERO).train()
        alone = plain_student(model).train()
        for _ in range(3):
            step(model, batch)
            step(alone, batch)
        ours, theirs = model.state_dict(), alone.state_dict()
        assert all(ours[k].equal(v) for k, v in theirs.items())

    def test_accuracy_is_not_scaled_with_the_loss(self, batch):
        cfg = classifier()
        cfg['head']['cal_acc'] = True
        losses = build(architecture=cfg).loss(*batch)
        alone = build(architecture=cfg, distiller=ZERO).loss(*batch)
        assert losses['student.loss'].item() == pytest.approx(
            0.3 * alone['student.loss'].item())
        assert losses['student.accuracy_top-1'] == alone[
            'student.accuracy_top-1']

    def test_lists_of_losses_are_scaled_too(self, batch, monkeypatch):
        model = build()
        one = torch.tensor(1.)
        forward = model.head.forward

        def loss(feats, samples):
            forward(feats)
            return dict(loss_a=[one, one * 2], info=one)

        monkeypatch.setattr(model.head, 'loss', loss)
        losses = model.loss(*batch)
        assert [x.item()
                for x in losses['student.loss_a']] == pytest.approx([0.3, 0.6])
        assert losses['student.info'] == 1

    def test_once_distillation_is_stopped_the_task_counts_fully(
            self, batch, monkeypatch):
        model, alone = build(), build(distiller=ZERO)
        model.distillation_stopped = True
        monkeypatch.setattr(model.teacher, 'forward', None)
        losses = model.loss(*batch)
        assert list(losses) == ['student.loss']
        assert losses['student.loss'].equal(alone.loss(*batch)['student.loss'])

    def test_under_autocast_the_terms_are_float32_and_close(self, batch):
        model = build()
        exact = model.loss(*batch)
        with torch.autocast('cpu', torch.bfloat16):
            losses = model.loss(*batch)
        total, _ = model.parse_losses(losses)
        total.backward()
        for name, term in losses.items():
            assert term.dtype == torch.float32
            assert term.item() == pytest.approx(exact[name].item(), rel=0.05)
        assert all(p.grad.isfinite().all() for p in model.parameters())

    def test_a_teacher_in_bfloat16_changes_the_terms_by_rounding_only(
            self, batch):
        exact, rounded = build(), build(teacher_dtype='bfloat16')
        rounded.loss(*batch)  # The first looks for the feature maps.
        types = []
        for module in (rounded.teacher.head.fc, rounded.head.fc):
            module.register_forward_hook(
                lambda m, i, output: types.append(output.dtype))
        losses, expected = rounded.loss(*batch), exact.loss(*batch)
        # Only the teacher's, not the student's
        assert types == [torch.bfloat16, torch.float32]
        assert losses['student.loss'].equal(expected['student.loss'])
        for name, value in losses.items():
            assert value.item() == pytest.approx(
                expected[name].item(), rel=0.02)

    def test_prediction_is_the_students(self, batch):
        model = build().eval()
        images = batch[0]
        assert model(images).equal(plain_student(model).eval()(images))

    @pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
    @pytest.mark.parametrize(
        'steps', [100, pytest.param(1000, marks=pytest.mark.slow)])
    def test_steps_in_mixed_precision_stay_finite(self, batch, steps, dtype):
        if not hasattr(torch.amp, 'GradScaler'):
            pytest.skip('no scaler for the CPU')
        model = build().train()
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        scaler = torch.amp.GradScaler('cpu', enabled=dtype == torch.float16)
        for _ in range(steps):
            with torch.autocast('cpu', dtype):
                total, losses = model.parse_losses(model.loss(*batch))
            assert all(value.isfinite() for value in losses.values())
            scaler.scale(total).backward()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
        assert all(p.isfinite().all() for p in model.parameters())

    def test_a_precision_that_torch_does_not_know_is_an_error(self):
        for name in ('fp16', 'torch.bfloat16', 'nn'):
            with pytest.raises(UserError, match=f'teacher_dtype "{name}" is'):
                build(teacher_dtype=name)

    def test_the_size_of_the_teachers_images_may_be_one_number(self):
        assert build(teacher_size=24).map_input.size == (24, 24)
