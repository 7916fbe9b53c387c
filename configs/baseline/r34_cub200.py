# GLD, supplementary 3.1: ResNet-34 from ImageNet to CUB
_base_ = [
    '../_base_/models/resnet34_finetune.py',
    '../_base_/datasets/cub200_bs64.py',
    '../_base_/schedules/finegrained_200e.py',
    '../_base_/default_runtime.py',
]

# Only the classifier is trained; the rest is frozen, in eval mode.
model = dict(backbone=dict(frozen_stages=4), head=dict(num_classes=200))

optim_wrapper = dict(optimizer=dict(lr=0.001))
