_base_ = '../gld_wrn16-2_wrn16-1_cifar100_30e/gld_wrn16-2_wrn16-1_cifar100_30e.py'

randomness = dict(seed=2)
