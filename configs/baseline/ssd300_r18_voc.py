# VOC07+12 trainval, VOC07 test, 11-point mAP
_base_ = [
    'mmdet::pascal_voc/ssd300_voc0712.py',
    '../_base_/detectors/ssd300_r18.py',
]

model = _base_.ssd300_r18

# Each image once an epoch: no RepeatDataset. Images are resized to squares, so
# batches need not be of one orientation.
train_dataloader = dict(
    batch_size=32,
    batch_sampler=None,
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        ignore_keys=['dataset_type'],
        datasets=_base_.train_dataloader.dataset.dataset.datasets))
val_dataloader = dict(batch_size=8)
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=250, val_interval=10)
param_scheduler = _base_.ssd300_schedule
custom_hooks = _base_.ssd300_hooks
default_hooks = _base_.gld_default_hooks
auto_scale_lr = dict(base_batch_size=32)
