# Copyright (c) gld_mm authors. All rights reserved.
import numpy as np
import pytest
import torch
from mmrazor.registry import MODELS
from torch import nn

from gld_mm.errors import UserError

from ...test_functional import reference_relation

CLASSES = 3


class Head(nn.Module):
    """Two levels of 4x4 and 2x2, one anchor, and a centerness or none."""

    def __init__(self, centerness):
        super().__init__()
        self.cls = nn.Conv2d(5, CLASSES, 1)
        self.centerness = nn.Conv2d(5, 1, 1) if centerness else None
        self.box = nn.Conv2d(5, 4, 1)

    def forward(self, maps):
        heads = [self.cls, self.box, self.centerness]
        return tuple([head(x) for x in maps] for head in heads if head)


class Detector(nn.Module):

    def __init__(self, centerness=False):
        super().__init__()
        self.neck = nn.Identity()
        self.bbox_head = Head(centerness)

    def forward(self, x, mode='tensor'):
        x = self.neck(x)
        return self.bbox_head.forward([x, x[..., ::2, ::2]])  # as mmdet does


def losses_of(student, teacher, x, **kwargs):
    distiller = MODELS.build(
        dict(
            type='SigmoidDenseGLDDistiller',
            cls_out_channels=CLASSES,
            **kwargs))
    distiller.prepare_from_student(student)
    distiller.prepare_from_teacher(teacher)
    with distiller.teacher_recorders, torch.no_grad():
        teacher(x)
    with distiller.student_recorders:
        student(x)
    return distiller.compute_distill_losses()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rows_by_hand(scores, confidence):
    """The weighted mean of each region with weight, and whether it is one of
    the whole image."""
    rows, whole = [], []
    for score, weight in zip(scores, confidence):
        half = score.shape[-1] // 2
        first, last = slice(half), slice(half, None)
        for image, w in zip(score, weight):
            for rows_, columns in ((slice(None), slice(None)), (first, first),
                                   (first, last), (last, first), (last, last)):
                part = w[rows_, columns]
                if part.sum() > 0:
                    rows.append((image[:, rows_, columns] * part).sum(
                        (1, 2)) / part.sum())
                    whole.append(rows_ == columns == slice(None))
    return np.array(rows), np.array(whole)


@pytest.mark.parametrize('centerness', [False, True])
def test_each_term_by_hand(centerness):
    torch.manual_seed(0)
    student, teacher = Detector(centerness), Detector(centerness)
    x = 3 * torch.randn(2, 5, 4, 4)
    losses = losses_of(
        student, teacher, x, score_thr=0.7, alpha=0.6, beta=2., gamma=0.8)
    ours, theirs = ([[level.detach().double().numpy() for level in part]
                     for part in network(x)] for network in (student, teacher))
    confidence = [sigmoid(level.max(1)) for level in theirs[0]]
    if centerness:
        confidence = [
            c * sigmoid(factor[:, 0])
            for c, factor in zip(confidence, theirs[2])
        ]
    confidence = [np.where(c < 0.7, 0, c) for c in confidence]
    assert 0 < sum((c == 0).sum() for c in confidence) < 2 * (16 + 4)
    s, whole = rows_by_hand(ours[0], confidence)
    t, _ = rows_by_hand(theirs[0], confidence)
    p, q = sigmoid(t), sigmoid(s)
    kl = (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(1)
    assert {
        k: v.item()
        for k, v in losses.items()
    } == pytest.approx(
        dict(
            loss_global=0.6 * kl[whole].mean(),
            loss_local=0.8 * 4 * kl[~whole].mean(),
            loss_relation=2 * len(s) * reference_relation(s, t)),
        rel=1e-4)


def test_a_teacher_that_sees_nothing_teaches_nothing():
    student, teacher = Detector(), Detector()
    nn.init.constant_(teacher.bbox_head.cls.bias, -50)
    losses = losses_of(student, teacher, torch.randn(2, 5, 4, 4))
    assert [v.item() for v in losses.values()] == [0, 0, 0]
    sum(losses.values()).backward()  # and can be trained on


def test_positions_below_the_threshold_change_nothing():
    torch.manual_seed(0)
    student, teacher = Detector(), Detector()
    nn.init.constant_(teacher.bbox_head.cls.bias, -50)
    teacher.bbox_head.cls.weight.data[:, 0] = 100  # Seen where it is 1
    x = torch.randn(2, 5, 4, 4)
    x[:, 0] = 0
    x[:, 0, 1, 2] = 1
    first = losses_of(student, teacher, x)
    other = torch.randn(2, 5, 4, 4)
    other[:, 0] = 0
    other[:, :, 1, 2] = x[:, :, 1, 2]
    second = losses_of(student, teacher, other)
    assert first['loss_global'] > 0
    torch.testing.assert_close(first, second)


def test_a_student_that_is_its_teacher_has_nothing_to_learn():
    model = Detector(centerness=True)
    losses = losses_of(model, model, torch.randn(2, 5, 4, 4), score_thr=0.)
    assert all(v.item() == pytest.approx(0, abs=1e-6) for v in losses.values())


@pytest.mark.parametrize('levels, anchors', [(1, 1), (2, 2)])
def test_a_teacher_of_other_levels_or_anchors_is_one_line(levels, anchors):
    teacher = Detector()
    teacher.bbox_head.cls = nn.Conv2d(5, anchors * CLASSES, 1)
    forward = teacher.bbox_head.forward
    teacher.bbox_head.forward = lambda maps: forward(maps[:levels])
    with pytest.raises(UserError, match=r'has \[1, 1\] anchors on its levels'):
        losses_of(Detector(), teacher, torch.randn(2, 5, 4, 4))


def test_the_task_loss_counts_fully():
    distiller = MODELS.build(
        dict(type='SigmoidDenseGLDDistiller', cls_out_channels=3))
    assert distiller.task_loss_weight == 1


def test_scores_by_name_are_those_that_are_found():
    student, teacher = Detector(centerness=True), Detector(centerness=True)
    x = 3 * torch.randn(3, 5, 4, 4)
    found = losses_of(student, teacher, x)
    named = losses_of(student, teacher, x, scores='bbox_head.cls')
    assert found['loss_global'] > 0
    torch.testing.assert_close(named, found)


def test_a_third_output_that_is_no_factor_changes_nothing():
    student, teacher = Detector(), Detector(centerness=True)
    x = torch.randn(2, 5, 4, 4)
    boxes = teacher.bbox_head.centerness = nn.Conv2d(5, 4, 1)  # refined ones
    refined = losses_of(student, teacher, x)
    nn.init.zeros_(boxes.weight)
    torch.testing.assert_close(losses_of(student, teacher, x), refined)
    teacher.bbox_head.centerness = None
    torch.testing.assert_close(losses_of(student, teacher, x), refined)


def test_a_teacher_of_other_classes_is_one_line():
    teacher = Detector()
    teacher.bbox_head.cls = nn.Conv2d(5, CLASSES + 1, 1)
    with pytest.raises(UserError, match='not a multiple of cls_out_channels'):
        losses_of(Detector(), teacher, torch.randn(2, 5, 4, 4))
