# Stanford Cars: 8,144 images for training, 8,041 for testing
_base_ = 'mmpretrain::_base_/datasets/imagenet_bs64.py'

data_preprocessor = dict(type='ClsDataPreprocessor', num_classes=196)

train_dataloader = dict(
    dataset=dict(
        type='StanfordCars', data_root='data/Stanford_Cars', split='train'))
val_dataloader = dict(
    dataset=dict(
        type='StanfordCars', data_root='data/Stanford_Cars', split='test'))
test_dataloader = val_dataloader
