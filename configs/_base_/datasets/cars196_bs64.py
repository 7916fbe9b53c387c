# Stanford Cars: 8,144 images for training, 8,041 for testing
_base_ = './imagenet_bs32.py'

data_preprocessor = dict(num_classes=196)

train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        type='StanfordCars', data_root='data/Stanford_Cars', split='train'))
val_dataloader = dict(
    batch_size=64,
    dataset=dict(
        type='StanfordCars', data_root='data/Stanford_Cars', split='test'))
test_dataloader = val_dataloader
