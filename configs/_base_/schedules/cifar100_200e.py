# GLD, supplementary 3.1: 200 epochs, batch 64, .1 divided by 10 at 100 and 150
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4))

param_scheduler = dict(
    type='MultiStepLR', by_epoch=True, milestones=[100, 150], gamma=0.1)

train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=1)
val_cfg = dict()
test_cfg = dict()

# `--auto-scale-lr` scales the learning rate to the actual total batch size.
auto_scale_lr = dict(base_batch_size=64)
