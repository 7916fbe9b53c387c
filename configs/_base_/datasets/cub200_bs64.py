# CUB-200-2011: 5,994 images for training, 5,794 for testing
_base_ = './imagenet_bs32.py'

data_preprocessor = dict(num_classes=200)

train_dataloader = dict(
    batch_size=64,
    dataset=dict(type='CUB', data_root='data/CUB_200_2011', split='train'))
val_dataloader = dict(
    batch_size=64,
    dataset=dict(type='CUB', data_root='data/CUB_200_2011', split='test'))
test_dataloader = val_dataloader
