# Hinton et al. at each position and anchor of a dense head: KL at temperature
# 4, times 4^2, and the whole task loss. The loss is mmrazor's. A config adds
# the number of classes.
kd = dict(
    type='mmrazor.FrozenTeacherDistill',
    distiller=dict(
        type='mmrazor.ConfigurableDistiller',
        student_recorders=dict(
            scores=dict(
                type='mmrazor.ScoreMaps', source='bbox_head.cls_convs')),
        teacher_recorders=dict(
            scores=dict(
                type='mmrazor.ScoreMaps', source='bbox_head.cls_convs')),
        connectors=dict(rows=dict(type='mmrazor.DenseRowConnector')),
        distill_losses=dict(
            loss_kl=dict(type='mmrazor.KLDivergence', tau=4, loss_weight=1.)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(
                    recorder='scores', connector='rows', from_student=True),
                preds_T=dict(
                    recorder='scores', connector='rows',
                    from_student=False)))))
