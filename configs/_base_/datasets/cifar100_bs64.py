_base_ = 'mmpretrain::_base_/datasets/cifar100_bs16.py'

# A distillation model has no default preprocessor, so the type is named.
data_preprocessor = dict(type='ClsDataPreprocessor')

train_dataloader = dict(
    batch_size=64,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='default_collate'))

val_dataloader = dict(
    batch_size=256,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type='default_collate'))
val_evaluator = dict(topk=(1, 5))

test_dataloader = val_dataloader
test_evaluator = val_evaluator
