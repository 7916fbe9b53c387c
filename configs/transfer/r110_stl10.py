# Table 4: a linear classifier on the features of CIFAR-100
_base_ = [
    '../_base_/models/resnet110_cifar.py',
    '../_base_/datasets/stl10_bs64.py',
    '../_base_/schedules/linear_100e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        frozen_stages=3,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/r110_cifar100/epoch_200.pth',
            prefix='backbone.')),
    head=dict(num_classes=10))
