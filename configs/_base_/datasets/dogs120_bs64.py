# Stanford Dogs: 12,000 images for training, 8,580 for testing
_base_ = './imagenet_bs32.py'

data_preprocessor = dict(num_classes=120)

train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        type='StanfordDogs', data_root='data/Stanford_Dogs', split='train'))
val_dataloader = dict(
    batch_size=64,
    dataset=dict(
        type='StanfordDogs', data_root='data/Stanford_Dogs', split='test'))
test_dataloader = val_dataloader
