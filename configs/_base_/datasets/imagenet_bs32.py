_base_ = 'mmpretrain::_base_/datasets/imagenet_bs32.py'

# A distillation model has no default preprocessor, so the type is named.
data_preprocessor = dict(type='ClsDataPreprocessor')
