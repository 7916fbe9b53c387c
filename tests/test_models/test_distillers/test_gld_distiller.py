# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmpretrain.structures import DataSample
from mmrazor.models import ConfigurableDistiller
from mmrazor.registry import MODELS
from torch.distributions import Bernoulli, kl_divergence
from torch.nn.functional import cross_entropy

from gld_mm.errors import UserError

from ...conftest import classifier, distillation
from ...test_functional import reference_normalized_kl, reference_relation

pytestmark = pytest.mark.usefixtures('mmpretrain_scope')


def build(teacher=None, **distiller):
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match='untrained'):
        model = MODELS.build(
            distillation(
                teacher=teacher or classifier(14),
                distiller=dict(type='mmrazor.GLDDistiller', **distiller)))
    return model.train()


def logits_of(network, images):
    """Global and four local logits of a 2x2 grid, one by one."""
    feature = network.backbone(images)[-1]
    top, bottom = feature.chunk(2, 2)
    cells = [*top.chunk(2, 3), *bottom.chunk(2, 3)]
    fc = network.head.fc
    return [fc(part.mean((2, 3))) for part in (feature, *cells)]


def test_it_is_a_configurable_distiller():
    assert isinstance(build().distiller, ConfigurableDistiller)


def test_the_objective_is_the_formula(batch):
    images, samples = batch
    model = build(alpha=0.6, beta=300., gamma=0.8)
    losses = model.loss(images, samples)
    with torch.no_grad():
        student = logits_of(model, images)
        teacher = logits_of(model.teacher, images)
    labels = torch.tensor([i % 4 for i in range(8)])
    kl = [reference_normalized_kl(s, t) for s, t in zip(student, teacher)]
    expected = {
        'student.loss':
        0.4 * cross_entropy(student[0], labels).item(),
        'distill.loss_global':
        0.6 * kl[0],
        'distill.loss_local':
        0.8 * sum(kl[1:]),
        'distill.loss_relation':
        300 * reference_relation(torch.cat(student), torch.cat(teacher)),
    }
    assert {
        k: v.item()
        for k, v in losses.items()
    } == pytest.approx(
        expected, rel=1e-4)
    total, _ = model.parse_losses(losses)
    assert total.item() == pytest.approx(sum(expected.values()), rel=1e-4)


def test_the_defaults_are_those_of_the_paper():
    distiller = build().distiller
    weights = {k: m.loss_weight for k, m in distiller.distill_losses.items()}
    assert weights == dict(loss_global=0.7, loss_local=1., loss_relation=500.)
    assert distiller.task_loss_weight == pytest.approx(0.3)
    recorders = distiller.student_recorders, distiller.teacher_recorders
    assert all(m.get_recorder('logits').grid == (2, 2) for m in recorders)


@pytest.mark.parametrize('off, left', [
    (dict(alpha=0), ['loss_local', 'loss_relation']),
    (dict(gamma=0), ['loss_global', 'loss_relation']),
    (dict(beta=0), ['loss_global', 'loss_local']),
    (dict(alpha=0, beta=0), ['loss_local']),
])
def test_a_term_of_zero_weight_is_off(batch, off, left):
    losses = build(**off).loss(*batch)
    assert [k for k in losses
            if k.startswith('distill')] == [f'distill.{k}' for k in left]


def test_the_gradient_reaches_the_student_and_not_the_teacher(batch):
    model = build()
    total, _ = model.parse_losses(model.loss(*batch))
    total.backward()
    assert all(p.grad is not None for p in model.parameters())
    assert all(p.grad is None for p in model.teacher.parameters())


def test_the_logits_of_either_network_can_be_read(batch):
    images, samples = batch
    model = build()
    model.loss(images, samples)
    for network, from_student in ((model, True), (model.teacher, False)):
        logits = model.distiller.logits(from_student)
        assert logits.requires_grad == from_student
        torch.testing.assert_close(logits,
                                   torch.stack(logits_of(network, images), 1))


def test_the_feature_and_classifier_can_be_named_for_each_network(batch):
    # The last stage's output is the backbone's, under another name.
    default = build().loss(*batch)
    named = build(
        feature='backbone.layer3', teacher_feature='backbone').loss(*batch)
    assert all(named[k].equal(v) for k, v in default.items())
    other = build(
        feature='backbone.layer3.0',
        classifier='head.fc',
        teacher_feature='backbone.layer3',
        teacher_classifier='head.fc').loss(*batch)
    # Depth 8 has one block a stage, so the student's block is the stage. Cells
    # are averaged by other code than the neck's.
    torch.testing.assert_close(other, default)


@pytest.mark.parametrize('wrong', [dict(alpha=1.1), dict(beta=-1)])
def test_a_weight_out_of_range_is_an_error(wrong):
    with pytest.raises(UserError, match=r'alpha should be in \[0, 1\]'):
        MODELS.build(dict(type='mmrazor.GLDDistiller', **wrong))


def test_only_relations_compare_networks_of_other_classes(batch):
    teacher = classifier(14, num_classes=7)
    with pytest.raises(
            UserError, match='student has 10 classes, the teacher 7'):
        build(teacher).loss(*batch)
    losses = build(teacher, alpha=0, gamma=0).loss(*batch)
    assert losses['distill.loss_relation'] > 0


def test_the_parts_work_in_a_plain_configurable_distiller(batch):
    record = dict(logits=dict(type='mmrazor.GlobalLocalLogits'))
    mapping = {
        key: dict(recorder='logits', from_student=student)
        for key, student in (('preds_S', True), ('preds_T', False))
    }
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='mmrazor.SingleTeacherDistill',
            architecture=classifier(),
            teacher=classifier(14),
            data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor'),
            distiller=dict(
                type='mmrazor.ConfigurableDistiller',
                student_recorders=record,
                teacher_recorders=record,
                distill_losses=dict(
                    loss_kl=dict(type='mmrazor.NormalizedKLLoss'),
                    loss_relation=dict(
                        type='mmrazor.RelationLoss', loss_weight=500.)),
                loss_forward_mappings=dict(
                    loss_kl=mapping, loss_relation=mapping))))
    model.train()
    model.teacher.eval()
    losses = model.loss(*batch)
    with torch.no_grad():
        student = torch.cat(logits_of(model.student, batch[0]))
        teacher = torch.cat(logits_of(model.teacher, batch[0]))
    assert losses['distill.loss_kl'].item() == pytest.approx(
        reference_normalized_kl(student, teacher), rel=1e-4)
    assert losses['distill.loss_relation'].item() == pytest.approx(
        500 * reference_relation(student, teacher), rel=1e-4)


def test_the_first_step_under_autocast_reaches_every_weight(batch):
    model = build()
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(*batch)
    sum(losses.values()).backward()
    assert [k for k, p in model.named_parameters() if p.grad is None] == []


def with_head(kind, teacher_kind=None, **distiller):
    """The model whose networks have other heads."""
    networks = [classifier(), classifier(14)]
    for network, name in zip(networks, (kind, teacher_kind or kind)):
        network['head'] = dict(
            type=f'mmpretrain.{name}', num_classes=10, in_channels=16)
    return MODELS.build(
        distillation(
            architecture=networks[0],
            teacher=networks[1],
            distiller=dict(type='mmrazor.GLDDistiller', **distiller)))


@pytest.mark.filterwarnings('ignore:teacher_ckpt is None')
class TestHeads:

    def test_a_head_for_many_labels_compares_yes_and_no(self, batch):
        images, _ = batch
        model = with_head('MultiLabelLinearClsHead', sigmoid=True).train()
        samples = [DataSample().set_gt_score(torch.ones(10)) for _ in images]
        losses = model.loss(images, samples)
        with torch.no_grad():
            student, teacher = (
                Bernoulli(logits=torch.stack(logits_of(network, images)))
                for network in (model, model.teacher))
        # (1 + L, B)
        kl = kl_divergence(teacher, student).sum(-1).mean(-1)
        torch.testing.assert_close(losses['distill.loss_global'], 0.7 * kl[0])
        torch.testing.assert_close(losses['distill.loss_local'], kl[1:].sum())

    def test_a_head_for_many_labels_needs_sigmoid(self):
        with pytest.raises(UserError, match='ends with sigmoids: set sigmoid'):
            with_head('MultiLabelLinearClsHead')

    def test_any_other_head_may_be_said_to_end_with_sigmoids(self, batch):
        losses = with_head('LinearClsHead', sigmoid=True).loss(*batch)
        assert losses['distill.loss_global'] > 0

    def test_a_head_with_a_margin_may_teach_but_not_learn(self, batch):
        with pytest.raises(UserError, match='as the teacher only'):
            with_head('ArcFaceClsHead')
        losses = with_head('LinearClsHead', 'ArcFaceClsHead').loss(*batch)
        assert losses['distill.loss_global'] > 0


def test_two_classes_are_warned_of_since_normalised_they_have_no_gradient(
        batch):
    two = classifier(num_classes=2)
    with pytest.warns(UserWarning, match='untrained'):
        model = MODELS.build(
            distillation(
                architecture=two,
                teacher=classifier(14, num_classes=2),
                distiller=dict(type='mmrazor.GLDDistiller')))
    samples = [DataSample().set_gt_label(i % 2) for i in range(len(batch[0]))]
    with pytest.warns(UserWarning, match='With two classes normalised logits'):
        losses = model.loss(batch[0], samples)
    local, relation = (
        torch.autograd.grad(
            losses[f'distill.loss_{name}'],
            model.head.fc.weight,
            retain_graph=True)[0].norm() for name in ('local', 'relation'))
    assert local < 1e-5 * relation
