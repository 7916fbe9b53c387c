_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/cub200_bs64.py',
    '../_base_/schedules/finegrained_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=200))
