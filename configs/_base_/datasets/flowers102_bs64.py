# Oxford 102 Flowers: train and val (1,020 + 1,020) together for training, as
# fine-tuning papers do; test has 6,149. The paper does not say.
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs64.py'

data_preprocessor = dict(type='ClsDataPreprocessor', num_classes=102)

train_dataloader = dict(
    dataset=dict(
        type='Flowers102', data_root='data/Flowers102', split='trainval'))
val_dataloader = dict(
    dataset=dict(type='Flowers102', data_root='data/Flowers102', split='test'))
test_dataloader = val_dataloader
