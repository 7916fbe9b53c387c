# GLD, supplementary 3.1: ResNet-34 from ImageNet to Flowers102
_base_ = [
    '../_base_/models/resnet34_finetune.py',
    '../_base_/datasets/flowers102_bs64.py',
    '../_base_/schedules/finegrained_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=102))

optim_wrapper = dict(optimizer=dict(lr=0.001))
