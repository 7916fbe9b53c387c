_base_ = '../gld/wrn16-2_wrn16-1_cifar100.py'

model = dict(distiller=dict(alpha=0, gamma=0))
