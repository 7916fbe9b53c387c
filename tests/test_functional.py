# Copyright (c) gld_mm authors. All rights reserved.
"""The equations against loops over rows in NumPy, float64."""
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gld_mm.functional import (binary_kl, global_local_logits, normalized_kl,
                               relation, relation_matrix)


def reference_normalized_kl(student, teacher):
    total = 0.
    for zs, zt in zip(np.float64(student), np.float64(teacher)):
        probabilities = []
        for z in (zs, zt):
            std = np.std(z, ddof=1)
            n = z / std if std > 0 else np.zeros_like(z)
            e = np.exp(n - n.max())
            probabilities.append(e / e.sum())
        ps, pt = probabilities
        total += sum(t * (np.log(t) - np.log(s)) for s, t in zip(ps, pt))
    return total / len(student)


def reference_relation(student, teacher):
    matrices = []
    for z in (np.float64(student), np.float64(teacher)):
        d = np.array([[((a - b)**2).sum() for b in z] for a in z])
        norm = np.sqrt((d**2).sum(1, keepdims=True))
        matrices.append(
            np.divide(d, norm, out=np.zeros_like(d), where=norm > 0))
    return ((matrices[0] - matrices[1])**2).sum() / len(student)**2


def logits(rows, classes, scale=3., seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(
        rows, classes, generator=generator, dtype=torch.float64)).to(dtype)


def pair(*args, **kwargs):
    return logits(*args, seed=1, **kwargs), logits(*args, seed=2, **kwargs)


SIZES = [(1, 2), (7, 2), (3, 10), (40, 100), (5, 1000)]


@pytest.mark.parametrize('rows, classes', SIZES)
def test_normalized_kl_is_the_formula(rows, classes):
    student, teacher = pair(rows, classes)
    assert normalized_kl(student, teacher).item() == pytest.approx(
        reference_normalized_kl(student, teacher), rel=1e-5, abs=1e-7)


def test_other_classes_are_an_error_that_has_both_shapes():
    with pytest.raises(ValueError, match=r'\(8, 10\).*\(8, 7\)'):
        normalized_kl(logits(8, 10), logits(8, 7))


def test_normalized_kl_by_hand():
    # Two classes: z / std of (a, b) is +-sqrt(2)/2 about its mean, so the
    # probabilities are sigmoid(+-sqrt(2)) whatever a and b are.
    student, teacher = torch.tensor([[0., 5.]]), torch.tensor([[9., 1.]])
    p = 1 / (1 + np.exp(-np.sqrt(2)))
    expected = (2 * p - 1) * np.log(p / (1 - p))
    assert normalized_kl(student, teacher).item() == pytest.approx(expected)


@pytest.mark.parametrize('rows, classes', SIZES)
def test_relation_is_the_formula(rows, classes):
    student, teacher = pair(rows, classes)
    assert relation(student, teacher).item() == pytest.approx(
        reference_relation(student, teacher), rel=1e-4, abs=1e-8)


def test_relation_by_hand():
    # Points 0, 1, 3 on a line against 0, 1, 2: squared distances
    # (0 1 9) (1 0 4) (9 4 0) and (0 1 4) (1 0 1) (4 1 0).
    student = torch.tensor([[0.], [1.], [3.]])
    teacher = torch.tensor([[0.], [1.], [2.]])
    a = np.array([[0, 1, 9] / np.sqrt(82), [1, 0, 4] / np.sqrt(17),
                  [9, 4, 0] / np.sqrt(97)])
    b = np.array([[0, 1, 4] / np.sqrt(17), [1, 0, 1] / np.sqrt(2),
                  [4, 1, 0] / np.sqrt(17)])
    assert relation(student, teacher).item() == pytest.approx(
        ((a - b)**2).sum() / 9)


@pytest.mark.parametrize('loss, reference',
                         [(normalized_kl, reference_normalized_kl),
                          (relation, reference_relation)])
class TestRobustness:

    def finite(self, loss, student, teacher):
        student = student.clone().requires_grad_()
        value = loss(student, teacher)
        value.backward()
        assert value.isfinite() and student.grad.isfinite().all()
        return value.item()

    def test_large_logits_are_finite_and_right(self, loss, reference):
        student, teacher = pair(20, 100, scale=1e4)
        value = self.finite(loss, student, teacher)
        assert value == pytest.approx(reference(student, teacher), rel=1e-4)

    def test_constant_rows_are_finite_and_right(self, loss, reference):
        student, teacher = pair(6, 10)
        student[1], student[2], teacher[2], teacher[3] = 0, 1.1, -7.3, 1e4
        value = self.finite(loss, student, teacher)
        assert value == pytest.approx(reference(student, teacher), rel=1e-4)

    def test_all_rows_constant_and_equal_gives_zero(self, loss, reference):
        student = torch.full((5, 10), 0.1)
        assert self.finite(loss, student, 3 * student) == 0

    @pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
    def test_half_inputs_are_computed_in_float32(self, loss, reference, dtype):
        # |z| ~ 60 over 1000 classes: squared distances of 7e6, float16 ends
        # at 65504.
        student, teacher = pair(12, 1000, scale=20., dtype=dtype)
        value = loss(student, teacher)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(
            reference(student.double(), teacher.double()), rel=1e-4)
        self.finite(loss, student, teacher)

    def test_autocast_does_not_change_a_bit(self, loss, reference):
        student, teacher = pair(12, 100, scale=20.)
        with torch.autocast('cpu', torch.bfloat16):
            inside = loss(student, teacher)
        assert inside.equal(loss(student, teacher))

    def test_gradient_is_that_of_the_value(self, loss, reference):
        student, teacher = pair(5, 4, dtype=torch.float64)
        assert torch.autograd.gradcheck(lambda z: loss(z, teacher),
                                        student.requires_grad_())

    def test_the_teacher_gets_no_gradient(self, loss, reference):
        student, teacher = pair(5, 4)
        teacher.requires_grad_()
        loss(student.requires_grad_(), teacher).backward()
        assert teacher.grad is None and student.grad.abs().sum() > 0


def test_constant_student_row_gets_no_gradient_and_the_others_do():
    student, teacher = pair(3, 10)
    student[1] = 2.5
    student.requires_grad_()
    normalized_kl(student, teacher).backward()
    rows = student.grad.abs().sum(1)
    assert rows[1] == 0 and rows[0] > 0 and rows[2] > 0


def test_one_class_has_no_standard_deviation():
    with pytest.raises(ValueError, match='at least 2 classes'):
        normalized_kl(torch.randn(4, 1), torch.randn(4, 1))


def test_normalized_kl_needs_the_same_classes():
    with pytest.raises(ValueError, match=r'\(4, 100\).*\(4, 10\)'):
        normalized_kl(torch.randn(4, 100), torch.randn(4, 10))


def test_relation_needs_as_many_logits_of_both():
    with pytest.raises(ValueError, match='6 logits.*1 of the teacher'):
        relation(torch.randn(6, 4), torch.randn(1, 4))


@pytest.mark.parametrize('offset', ['one number', 'one a class'])
def test_relation_does_not_depend_on_a_shared_offset(offset):
    # In multiples of 2**-8 a sum with an offset of 2**14 is exact in float32.
    student, teacher = ((z * 256).round() / 256 for z in pair(30, 20))
    classes = torch.arange(20) if offset == 'one a class' else torch.zeros(20)
    shift = 2.**14 + classes * 64
    assert relation(student + shift, teacher - shift).item() == pytest.approx(
        relation(student, teacher).item(), rel=1e-6)


def test_equal_rows_have_no_relation():
    row = logits(1, 100) * 1e3 + 1e4
    student = row.expand(50, -1).clone().requires_grad_()
    value = relation(student, logits(1, 100, seed=3).expand(50, -1))
    value.backward()
    assert value == 0 and (student.grad == 0).all()


@pytest.mark.parametrize('block_size', [1, 100, 37 * 9, 37 * 36])
def test_relation_in_blocks_has_the_same_value_and_gradient(block_size):
    student, teacher = pair(37, 11, dtype=torch.float64)
    results = []
    for size in (2**22, block_size):
        z = student.clone().requires_grad_()
        value = relation(z, teacher, block_size=size)
        value.backward()
        results.append((value.detach(), z.grad))
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-15)


def test_relation_holds_one_block_of_the_matrix_at_a_time(monkeypatch):
    sizes = []

    def spy(rows, z, out):
        matrix, norms = relation_matrix(rows, z, out)
        assert matrix.data_ptr() == out.data_ptr()
        sizes.append(matrix.numel())
        return matrix, norms

    monkeypatch.setattr('gld_mm.functional.relation_matrix', spy)
    student, teacher = pair(500, 4)
    relation(student.requires_grad_(), teacher, block_size=10000).backward()
    assert max(sizes) == 10000
    # Student and teacher, all rows once.
    assert sum(sizes) == 2 * 500 * 500


def test_rows_of_the_relation_matrix_have_unit_norm_and_a_zero_diagonal():
    z = logits(9, 5)
    matrix, _ = relation_matrix(z, z)
    torch.testing.assert_close(matrix.norm(dim=1), torch.ones(9))
    assert matrix.diagonal().abs().max() < 1e-6
    # In float32 the rounding of the diagonal depends on the CPU.
    z = z.double()
    matrix, norms = relation_matrix(z, z)
    torch.testing.assert_close(matrix * norms, torch.cdist(z, z)**2)


class TestGlobalLocalLogits:

    def test_each_cell_is_the_classified_mean_of_its_part(self):
        torch.manual_seed(0)
        feature, fc = torch.randn(3, 5, 8, 6), nn.Linear(5, 7)
        out = global_local_logits(feature, fc, (2, 3))
        assert out.shape == (3, 7, 7)
        parts = [feature] + [
            feature[:, :, 4 * r:4 * r + 4, 2 * c:2 * c + 2] for r in range(2)
            for c in range(3)
        ]
        for part, z in zip(parts, out.unbind(1)):
            torch.testing.assert_close(z, fc(part.mean((2, 3))))

    def test_pooling_and_an_affine_classifier_commute(self):
        torch.manual_seed(0)
        feature, fc = torch.randn(2, 5, 4, 4), nn.Linear(5, 7)
        scores = fc(feature.permute(0, 2, 3, 1))  # C at each position
        top_left = scores[:, :2, :2].mean((1, 2))
        torch.testing.assert_close(
            global_local_logits(feature, fc, (2, 2))[:, 1], top_left)

    def test_adaptive_pooling_covers_a_map_that_does_not_divide(self):
        feature = torch.zeros(1, 1, 7, 7)
        feature[..., 6, 6] = 1.
        out = global_local_logits(feature, nn.Identity(), (2, 2))
        # Rows and columns 3 to 6 of 7 make up the last cell.
        assert out.flatten().tolist() == pytest.approx(
            [1 / 49, 0, 0, 0, 1 / 16])

    @pytest.mark.parametrize('size, grid', [((7, 7), (2, 2)), ((5, 8), (3, 4)),
                                            ((11, 4), (4, 3))])
    def test_adaptive_windows_are_pytorchs(self, size, grid):
        feature = torch.randn(2, 3, *size)
        expected = F.adaptive_avg_pool2d(feature, grid)
        torch.testing.assert_close(
            global_local_logits(feature, nn.Identity(), grid)[:, 1:],
            expected.flatten(2).transpose(1, 2))

    @pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
    @pytest.mark.parametrize('size', [7, 8])
    def test_its_gradient_is_deterministic_on_a_gpu(self, size):
        feature = torch.randn(2, 3, size, size, device='cuda').requires_grad_()
        torch.use_deterministic_algorithms(True)
        try:
            global_local_logits(feature, nn.Identity(),
                                (2, 2)).sum().backward()
        finally:
            torch.use_deterministic_algorithms(False)

    def test_fixed_kernel_drops_what_does_not_divide(self):
        feature = torch.zeros(1, 1, 7, 7)
        feature[..., 6, 6], feature[..., 5, 5] = 1., 1.
        out = global_local_logits(
            feature, nn.Identity(), (2, 2), fixed_kernel=True)
        # 3x3 cells: rows 3 to 5, so the corner at (6, 6) is lost.
        assert out.flatten().tolist() == pytest.approx(
            [2 / 49, 0, 0, 0, 1 / 9])

    def test_fixed_kernel_gives_as_many_cells_as_the_grid(self):
        out = global_local_logits(
            torch.randn(2, 3, 7, 7), nn.Identity(), (4, 4), fixed_kernel=True)
        assert out.shape == (2, 17, 3)

    @pytest.mark.parametrize('fixed_kernel', [False, True])
    def test_both_poolings_agree_where_the_grid_divides(self, fixed_kernel):
        feature = torch.arange(16.).view(1, 1, 4, 4)
        out = global_local_logits(feature, nn.Identity(), (2, 2), fixed_kernel)
        assert out.flatten().tolist() == [7.5, 2.5, 4.5, 10.5, 12.5]

    def test_a_grid_larger_than_the_map_is_an_error_that_says_so(self):
        with pytest.raises(ValueError, match='grid of 4x2 does not fit.*3x3'):
            global_local_logits(torch.randn(2, 5, 3, 3), nn.Identity(), (4, 2))

    def test_a_pooled_feature_is_an_error_that_says_so(self):
        with pytest.raises(ValueError, match='before pooling'):
            global_local_logits(torch.randn(2, 5), nn.Identity(), (2, 2))


def test_binary_kl_by_hand():
    # Probabilities 1/2 against 1/2: nothing. A teacher of 3/4 and a student
    # of 1/2: 3/4 ln 3/2 + 1/4 ln 1/2. The mean over two rows.
    teacher = torch.tensor([[0., math.log(3)], [0., 0.]])
    expected = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2
    assert binary_kl(torch.zeros(2, 2), teacher).item() == pytest.approx(
        expected, rel=1e-5)


def test_the_gradient_of_binary_kl_is_the_difference_of_probabilities():
    student, teacher = pair(6, 4)
    student.requires_grad_(), teacher.requires_grad_()
    binary_kl(student, teacher).backward()
    torch.testing.assert_close(
        student.grad, (student.sigmoid() - teacher.sigmoid()).detach() / 6)
    assert teacher.grad is None


def test_binary_kl_of_extreme_logits_is_finite():
    student = torch.tensor([[1e4, -1e4, 80.]], requires_grad=True)
    loss = binary_kl(student, torch.tensor([[-1e4, 1e4, 80.]]))
    loss.backward()
    assert loss.item() == pytest.approx(2e4)
    assert student.grad.tolist() == [[1., -1., 0.]]


def test_binary_kl_of_no_rows_is_zero():
    assert binary_kl(torch.zeros(0, 3), torch.zeros(0, 3)) == 0


def test_binary_kl_of_other_shapes_is_an_error():
    with pytest.raises(ValueError, match='the same classes and grid'):
        binary_kl(torch.zeros(2, 3), torch.zeros(2, 4))
