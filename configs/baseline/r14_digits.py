_base_ = [
    '../_base_/models/resnet14_digits.py',
    '../_base_/datasets/noisy_digits_bs32.py',
    '../_base_/schedules/digits_20e.py',
    '../_base_/default_runtime.py',
]
