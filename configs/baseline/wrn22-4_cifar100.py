_base_ = [
    '../_base_/models/wrn22-4_cifar.py',
    '../_base_/datasets/cifar100_bs64.py',
    '../_base_/schedules/cifar100_200e.py',
    '../_base_/default_runtime.py',
]
