_base_ = ['../gld/r34_r18_cub200.py', '../_base_/distillers/kd.py']

model = dict(
    architecture=dict(head=dict(loss=dict(loss_weight=0.1))),
    distiller=dict(_delete_=True, **_base_.kd))
