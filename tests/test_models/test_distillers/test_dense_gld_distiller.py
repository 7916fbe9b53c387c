# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmrazor.registry import MODELS
from torch import nn

from gld_mm.errors import UserError

from ...test_functional import reference_normalized_kl, reference_relation

CLASSES = 3


class Head(nn.Module):
    """Two levels, of two anchors and one, on maps of 4x4 and 1x1."""

    def __init__(self, scale):
        super().__init__()
        self.cls_convs = nn.ModuleList(
            [nn.Conv2d(5, 2 * CLASSES, 1),
             nn.Conv2d(5, CLASSES, 1)])
        self.scale = scale

    def forward(self, x):
        large = nn.functional.interpolate(x, size=4 * self.scale)
        small = x.mean((2, 3), keepdim=True)
        scores = [level(f) for level, f in zip(self.cls_convs, (large, small))]
        return scores, [large]


class Detector(nn.Module):

    def __init__(self, scale=1):
        super().__init__()
        self.bbox_head = Head(scale)

    def forward(self, x):
        return self.bbox_head.forward(x)  # as mmdet does


def losses_of(student, teacher, **kwargs):
    distiller = MODELS.build(
        dict(
            type='DenseGLDDistiller',
            cls_out_channels=CLASSES,
            scores='bbox_head.cls_convs',
            **kwargs))
    distiller.prepare_from_student(student)
    distiller.prepare_from_teacher(teacher)
    torch.manual_seed(1)
    x = torch.randn(4, 5, 8, 8)
    with distiller.teacher_recorders, torch.no_grad():
        theirs = teacher(x)[0]
    with distiller.student_recorders:
        ours = student(x)[0]
    return distiller.compute_distill_losses(), ours, theirs


def sets_of(scores):
    """Logits of the two anchors of level 0, then of level 1, by hand."""
    large, small = scores
    for anchor in range(2):
        score = large[:, anchor * CLASSES:(anchor + 1) * CLASSES]
        top, bottom = score.chunk(2, 2)
        cells = [*top.chunk(2, 3), *bottom.chunk(2, 3)]
        yield [part.mean((2, 3)).detach() for part in (score, *cells)]
    yield [small[..., 0, 0].detach()]


@pytest.mark.parametrize('teacher_scale', [1, 2])
def test_each_term_is_the_mean_over_levels_and_anchors(teacher_scale):
    torch.manual_seed(0)
    losses, ours, theirs = losses_of(
        Detector(), Detector(teacher_scale), alpha=0.6, beta=300., gamma=0.8)
    expected = dict(loss_global=0., loss_local=0., loss_relation=0.)
    for s, t in zip(sets_of(ours), sets_of(theirs)):
        kl = [reference_normalized_kl(a, b) for a, b in zip(s, t)]
        expected['loss_global'] += 0.6 * kl[0] / 3
        expected['loss_local'] += 0.8 * sum(kl[1:]) / 3
        expected['loss_relation'] += 300 / 3 * reference_relation(
            torch.cat(s), torch.cat(t))
    assert {
        k: v.item()
        for k, v in losses.items()
    } == pytest.approx(
        expected, rel=1e-4)


def test_with_a_grid_of_one_the_cell_is_the_image():
    losses, *_ = losses_of(Detector(), Detector(), grid=1)
    torch.testing.assert_close(losses['loss_local'],
                               losses['loss_global'] / 0.7)


def test_the_task_loss_counts_fully():
    distiller = MODELS.build(
        dict(type='DenseGLDDistiller', cls_out_channels=3))
    assert distiller.task_loss_weight == 1


def test_a_teacher_of_other_anchors_is_an_error():
    teacher = Detector()
    teacher.bbox_head.cls_convs[1] = nn.Conv2d(5, 2 * CLASSES, 1)
    with pytest.raises(UserError, match='student has 3 sets.*teacher 4'):
        losses_of(Detector(), teacher)


def test_a_student_that_is_its_teacher_has_nothing_to_learn():
    model = Detector()
    losses, *_ = losses_of(model, model)
    assert all(v.item() == pytest.approx(0, abs=1e-6) for v in losses.values())


class Segmentor(nn.Module):
    """A 1x1 classifier, as a decode head's, and a method with the labels."""

    def __init__(self):
        super().__init__()
        self.conv_seg = nn.Conv2d(5, CLASSES, 1)

    def stack(self, labels):
        return labels


def segmentation_losses(labels, student, teacher, x, **kwargs):
    distiller = MODELS.build(
        dict(
            type='DenseGLDDistiller',
            cls_out_channels=CLASSES,
            scores='conv_seg',
            labels=f'{__name__}.Segmentor.stack',
            **kwargs))
    distiller.prepare_from_student(student)
    distiller.prepare_from_teacher(teacher)
    with distiller.teacher_recorders, torch.no_grad():
        teacher.conv_seg(x)
    with distiller.student_recorders:
        student.conv_seg(x)
        student.stack(labels)
    return distiller.compute_distill_losses()


def test_another_label_may_be_left_out_and_labels_may_have_edges_beside_them():
    student, teacher = Segmentor(), Segmentor()
    labels = torch.randint(1, CLASSES, (2, 1, 8, 8))
    labels[:, :, 5:] = 255
    x = torch.randn(2, 5, 8, 8)
    expected = segmentation_losses(labels, student, teacher, x)
    torch.testing.assert_close(
        segmentation_losses((labels, None), student, teacher, x), expected)
    labels = labels.masked_fill(labels == 255, 0)
    torch.testing.assert_close(
        segmentation_losses(labels, student, teacher, x, ignore_index=0),
        expected)


def test_the_terms_of_labelled_cells_by_hand():
    torch.manual_seed(0)
    student, teacher = Segmentor(), Segmentor()
    x = torch.randn(3, 5, 4, 4)
    labels = torch.zeros(3, 1, 4, 4, dtype=torch.long)
    labels[0, :, :2, 2:] = 255  # the top right cell of the first image
    labels[1, :, 2:] = 255  # the lower half of the second
    labels[2] = 255  # all of the third
    losses = segmentation_losses(labels, student, teacher, x)
    chosen = [(0, slice(2), slice(2)), (0, slice(2, 4), slice(2)),
              (0, slice(2, 4), slice(2, 4)), (1, slice(2), slice(2)),
              (1, slice(2), slice(2, 4))]

    def rows(network):
        scores = network.conv_seg(x).detach()
        whole = [
            scores[0, :, labels[0, 0] == 0].mean(1),
            scores[1, :, labels[1, 0] == 0].mean(1)
        ]
        cells = [scores[b, :, i, j].mean((1, 2)) for b, i, j in chosen]
        return torch.stack(whole), torch.stack(cells)

    (s0, s), (t0, t) = rows(student), rows(teacher)
    assert {
        k: v.item()
        for k, v in losses.items()
    } == pytest.approx(
        dict(
            loss_global=0.7 * reference_normalized_kl(s0, t0),
            # The mean over labelled cells, times the cells of an image.
            loss_local=4 * reference_normalized_kl(s, t),
            loss_relation=500 *
            reference_relation(torch.cat([s0, s]), torch.cat([t0, t]))),
        rel=1e-4)


def test_labelled_cells_count_even_if_the_teachers_logits_are_zero():
    student, teacher = Segmentor(), Segmentor()
    for weight in teacher.parameters():
        nn.init.zeros_(weight)
    labels = torch.zeros(2, 1, 4, 4, dtype=torch.long)
    x = torch.randn(2, 5, 4, 4)
    losses = segmentation_losses(labels, student, teacher, x)
    s0 = student.conv_seg(x).mean((2, 3)).detach()
    assert losses['loss_global'].item() == pytest.approx(
        0.7 * reference_normalized_kl(s0, torch.zeros(2, CLASSES)), rel=1e-4)
    assert losses['loss_global'] > 0 and losses['loss_local'] > 0


def test_values_of_ignored_pixels_change_nothing():
    student, teacher = Segmentor(), Segmentor()
    labels = torch.randint(0, CLASSES, (2, 1, 8, 8))
    labels[:, :, 5:] = 255
    x = torch.randn(2, 5, 8, 8)
    first = segmentation_losses(labels, student, teacher, x)
    x[:, :, 5:] = 1e3 * torch.randn(2, 5, 3, 8)
    second = segmentation_losses(labels, student, teacher, x)
    torch.testing.assert_close(first, second)
    assert min(first.values()) > 0


def test_a_batch_without_a_label_teaches_nothing():
    student, teacher = Segmentor(), Segmentor()
    labels = torch.full((2, 1, 8, 8), 255)
    losses = segmentation_losses(labels, student, teacher,
                                 torch.randn(2, 5, 8, 8))
    assert [v.item() for v in losses.values()] == [0, 0, 0]


@pytest.mark.parametrize('channels, sigmoid, message', [
    (CLASSES, True, 'take the SigmoidDenseGLDDistiller'),
    (1, False, 'set sigmoid=True of the DenseGLDDistiller'),
])
def test_a_head_with_sigmoids_is_an_error_that_says_what_to_take(
        channels, sigmoid, message):
    distiller = MODELS.build(
        dict(type='DenseGLDDistiller', cls_out_channels=channels))
    student = Detector()
    student.bbox_head.use_sigmoid_cls = sigmoid
    with pytest.raises(UserError, match=f'ends with sigmoids: {message}'):
        distiller.prepare_from_student(student)
