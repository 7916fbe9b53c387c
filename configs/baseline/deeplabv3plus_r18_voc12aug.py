# VOC12 train + SBD, VOC12 val
_base_ = [
    'mmseg::_base_/models/deeplabv3plus_r50-d8.py',
    'mmseg::_base_/datasets/pascal_voc12_aug.py',
    'mmseg::_base_/default_runtime.py',
    '../_base_/segmentors/deeplabv3plus_r18.py',
]

crop_size = (513, 513)
data_preprocessor = dict(size=crop_size)  # of a distillation
model = _base_.deeplabv3plus_r18

train_pipeline = _base_.train513_pipeline
train_dataloader = dict(
    batch_size=16,
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    drop_last=True,  # the batch norm of a pooled image needs two
    dataset=dict(datasets=[
        dict(part, pipeline=train_pipeline)
        for part in _base_.train_dataloader.dataset.datasets
    ]))

# Supplementary 3.2: 50 epochs, batch 16, .007, poly .9 at each iteration
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50, val_interval=5)
param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=0,
        end=50,
        by_epoch=True,
        convert_to_iter_based=True)
]
log_processor = dict(by_epoch=True)

default_hooks = _base_.gld_default_hooks
custom_hooks = _base_.gld_custom_hooks
