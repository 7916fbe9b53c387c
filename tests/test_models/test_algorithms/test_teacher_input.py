# Copyright (c) gld_mm authors. All rights reserved.
import pytest
import torch
from mmengine.model import ImgDataPreprocessor
from mmpretrain.models import ClsDataPreprocessor

from gld_mm.models.algorithms.teacher_input import teacher_input

IMAGENET = dict(
    mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
CIFAR = dict(mean=[129.304, 124.070, 112.434], std=[68.170, 65.392, 70.418])
HALF = dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)


def seen(preprocessor, images):
    return preprocessor(dict(inputs=images))['inputs']


@pytest.mark.parametrize('student, teacher', [
    (IMAGENET, CIFAR),
    (CIFAR, IMAGENET),
    (IMAGENET, HALF),
    (IMAGENET, {}),
    ({}, IMAGENET),
    (dict(to_rgb=True), {}),
])
def test_the_teacher_sees_what_its_own_preprocessing_makes_of_the_images(
        student, teacher):
    student, teacher = (ClsDataPreprocessor(**x) for x in (student, teacher))
    images = torch.randint(256, (2, 3, 6, 5), dtype=torch.uint8)
    mapped = teacher_input(student, teacher)(seen(student, images))
    torch.testing.assert_close(
        mapped, seen(teacher, images), rtol=1e-5, atol=1e-4)


def test_the_preprocessing_of_another_host_is_read():
    student = ClsDataPreprocessor(**CIFAR)
    teacher = ImgDataPreprocessor(
        mean=IMAGENET['mean'], std=IMAGENET['std'], bgr_to_rgb=True)
    images = torch.randint(256, (2, 3, 6, 5), dtype=torch.uint8)
    mapped = teacher_input(student, teacher)(seen(student, images))
    torch.testing.assert_close(mapped, seen(teacher, list(images)))


def test_the_same_preprocessing_needs_no_map():
    same = ClsDataPreprocessor(**IMAGENET)
    assert teacher_input(same, ClsDataPreprocessor(**IMAGENET)) is None
    assert teacher_input(ClsDataPreprocessor(), ClsDataPreprocessor()) is None


def test_images_of_another_size_are_resized():
    same = ClsDataPreprocessor(**IMAGENET)
    images = torch.ones(2, 3, 160, 160)
    mapped = teacher_input(same, same, size=(224, 192))(images)
    torch.testing.assert_close(mapped, torch.ones(2, 3, 224, 192))
