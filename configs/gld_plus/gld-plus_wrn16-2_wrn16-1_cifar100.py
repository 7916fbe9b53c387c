# GLD, setup (b), with what later methods found: a temperature, heavier local
# terms and a warm-up
_base_ = '../gld/wrn16-2_wrn16-1_cifar100.py'

model = dict(distiller=dict(temperature=2, gamma=3))
default_hooks = dict(
    distillation_warmup=dict(type='DistillationWarmupHook', part=0.1))
