# Copyright (c) gld_mm authors. All rights reserved.
"""Relations of the global batch: two gloo processes against one."""
import pytest
import torch

from gld_mm.functional import relation
from gld_mm.models.losses import RelationLoss
from gld_mm.models.losses.gather_rows import gather_rows
from tests.two_processes import run_in_two_processes

CODE = '''
import sys

import torch
import torch.distributed as dist

from gld_mm.models.distillers import SigmoidDenseGLDDistiller
from gld_mm.models.losses import RelationLoss

dist.init_process_group('gloo')
rank = dist.get_rank()
results = []
for case in torch.load(f'{sys.argv[1]}/cases.pth'):
    student, teacher = case['student'], case['teacher']
    own = slice(case['first']) if rank == 0 else slice(case['first'], None)
    rows = student[own].clone().requires_grad_()
    loss = RelationLoss(2., gather=case['gather'])(rows, teacher[own])
    loss.backward()
    distiller = SigmoidDenseGLDDistiller(5, beta=2., gather=case['gather'])
    weighted = distiller._relation_term(
        distiller.distill_losses['loss_relation'], [student[own][:, None]],
        [teacher[own][:, None]], None)
    results.append(
        dict(loss=loss.detach(), gradient=rows.grad, weighted=weighted))
torch.save(results, f'{sys.argv[1]}/{rank}.pth')

# Thirty sets of different sizes and classes, as of SSD300.
student, teacher = torch.load(f'{sys.argv[1]}/sets.pth')
own = [slice(3) if rank == 0 else slice(3, None) for _ in student]
rows = [z[i].clone().requires_grad_() for z, i in zip(student, own)]
with torch.profiler.profile() as profile:
    loss = RelationLoss()(rows, [z[i] for z, i in zip(teacher, own)])
    loss.backward()
torch.save(
    dict(
        loss=loss.detach(),
        gradients=[z.grad for z in rows],
        messages=[e.name for e in profile.events() if 'gloo:' in e.name]),
    f'{sys.argv[1]}/sets_{rank}.pth')
'''
# Rows of the first process, of seven: even, uneven, none.
FIRST = (3, 6, 0, 7)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('gather')
    torch.manual_seed(0)
    cases = [
        dict(
            student=torch.randn(7, 5),
            teacher=torch.randn(7, 4),
            first=first,
            gather=gather) for first in FIRST for gather in (True, False)
    ]
    torch.save(cases, folder / 'cases.pth')
    sets = [[torch.randn(3 + i + 1, k + i % 4) for i in range(30)]
            for k in (5, 3)]
    torch.save(sets, folder / 'sets.pth')
    run_in_two_processes(CODE, folder)
    return folder


@pytest.fixture
def results(folder):
    cases = torch.load(folder / 'cases.pth')
    return list(
        zip(cases, *(torch.load(folder / f'{rank}.pth') for rank in range(2))))


@pytest.mark.parametrize('first', FIRST)
def test_all_processes_have_the_loss_and_gradient_of_one(results, first):
    case, *ranks = next(r for r in results
                        if r[0]['first'] == first and r[0]['gather'])
    student = case['student'].clone().requires_grad_()
    loss = 2 * relation(student, case['teacher'])
    loss.backward()
    for rank in ranks:
        torch.testing.assert_close(rank['loss'], loss.detach())
        # A sigmoid detector multiplies it by the number of all logits.
        torch.testing.assert_close(rank['weighted'], 7 * loss.detach())
    # DistributedDataParallel takes the mean.
    gradient = torch.cat([rank['gradient'] for rank in ranks]) / 2
    torch.testing.assert_close(gradient, student.grad, rtol=1e-5, atol=1e-7)


def test_without_gather_each_process_relates_its_own(results):
    case, *ranks = next(r for r in results
                        if r[0]['first'] == 3 and not r[0]['gather'])
    for rank, own in zip(ranks, (slice(3), slice(3, None))):
        expected = 2 * relation(case['student'][own], case['teacher'][own])
        torch.testing.assert_close(rank['loss'], expected)
        count = len(case['student'][own])
        torch.testing.assert_close(rank['weighted'], count * expected)


def test_all_sets_of_a_step_travel_in_two_messages(folder):
    students, teachers = torch.load(folder / 'sets.pth')
    students = [z.requires_grad_() for z in students]
    loss = sum(map(relation, students, teachers)) / 30
    loss.backward()
    ranks = [torch.load(folder / f'sets_{rank}.pth') for rank in range(2)]
    for rank in ranks:
        assert rank['messages'] == 2 * ['gloo:all_gather']
        torch.testing.assert_close(rank['loss'], loss.detach())
    for whole, *parts in zip(students, *(r['gradients'] for r in ranks)):
        torch.testing.assert_close(
            torch.cat(parts) / 2, whole.grad, rtol=1e-5, atol=1e-8)


def test_one_process_keeps_its_rows():
    rows = torch.randn(3, 2)
    assert gather_rows([rows])[0] is rows
    other = torch.randn(3, 2)
    assert RelationLoss()(rows, other).equal(relation(rows, other))
