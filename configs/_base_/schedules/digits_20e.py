# SGD as for CIFAR-100, one epoch of linear warm-up, then a cosine
_base_ = './cifar100_200e.py'

param_scheduler = [
    dict(
        type='LinearLR', start_factor=0.04, end=1, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=1,
        end=20,
        T_max=19,
        convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=32)
