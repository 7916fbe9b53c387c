# Stanford Dogs: 12,000 images for training, 8,580 for testing
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs64.py'

data_preprocessor = dict(type='ClsDataPreprocessor', num_classes=120)

train_dataloader = dict(
    dataset=dict(
        type='StanfordDogs', data_root='data/Stanford_Dogs', split='train'))
val_dataloader = dict(
    dataset=dict(
        type='StanfordDogs', data_root='data/Stanford_Dogs', split='test'))
test_dataloader = val_dataloader
