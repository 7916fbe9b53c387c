# COCO train2017, val2017
_base_ = [
    'mmdet::ssd/ssd300_coco.py',
    '../_base_/detectors/ssd300_r18.py',
]

model = _base_.ssd300_r18

# Each image once an epoch: no RepeatDataset.
train_dataloader = dict(
    batch_size=32,
    dataset=dict(_delete_=True, **_base_.train_dataloader.dataset.dataset))

optim_wrapper = dict(optimizer=dict(lr=0.001))
train_cfg = dict(max_epochs=250, val_interval=10)
param_scheduler = _base_.ssd300_schedule
custom_hooks = _base_.ssd300_hooks
default_hooks = _base_.gld_default_hooks
auto_scale_lr = dict(base_batch_size=32)
