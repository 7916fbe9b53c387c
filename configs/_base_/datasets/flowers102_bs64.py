# Oxford 102 Flowers: train and val (1,020 + 1,020) together for training, as
# fine-tuning papers do; test has 6,149. The paper does not say.
_base_ = './imagenet_bs32.py'

data_preprocessor = dict(num_classes=102)

train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        type='Flowers102', data_root='data/Flowers102', split='trainval'))
val_dataloader = dict(
    batch_size=64,
    dataset=dict(type='Flowers102', data_root='data/Flowers102', split='test'))
test_dataloader = val_dataloader
