_base_ = [
    '../_base_/models/resnet34.py',
    '../_base_/datasets/imagenet_bs32.py',
    '../_base_/schedules/imagenet_100e.py',
    '../_base_/default_runtime.py',
]
