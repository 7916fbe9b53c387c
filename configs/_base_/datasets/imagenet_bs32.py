_base_ = 'mmpretrain::_base_/datasets/imagenet_bs32.py'

# A distillation model has no default preprocessor, so the type is named.
data_preprocessor = dict(type='ClsDataPreprocessor')

# What mmpretrain's own train.py adds. Workers that live on between epochs draw
# other crops in each; mmengine seeds them when they start.
train_dataloader = dict(
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='default_collate'))
val_dataloader = dict(
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='default_collate'))
test_dataloader = val_dataloader
