"""A stand-in for tools/train.py: an epoch takes no time, accuracy is made up.

Writes the logs and checkpoints that the real tool writes. A file FAIL in the
work dir makes it fail, a file SLOW makes an epoch take 0.3 seconds.
"""
import json
import shutil
import sys
import time
from pathlib import Path

config, _, work_dir, _ = sys.argv[1:]
cfg = {}
exec(Path(config).read_text(), cfg)
seed = cfg['randomness']['seed']
folder = Path(work_dir)
start = max((int(p.stem.split('_')[1]) for p in folder.glob('epoch_*.pth')),
            default=0)
with open(folder / 'starts', 'a') as file:
    file.write(f'{start}\n')
if (folder / 'FAIL').exists():
    sys.exit('Traceback\nValueError: [/data] "x" is wrong')
logs = folder / time.strftime('%Y%m%d_%H%M%S') / 'vis_data'
logs.mkdir(parents=True, exist_ok=True)
for epoch in range(start + 1, cfg['train_cfg']['max_epochs'] + 1):
    time.sleep(0.3 if (folder / 'SLOW').exists() else 0)
    shutil.copy(folder.parents[1] / 'weights.pth',
                folder / f'epoch_{epoch}.pth')
    top1 = 10. * epoch + seed
    line = {'accuracy/top1': top1, 'accuracy/top5': top1 + 5, 'step': epoch}
    with open(logs / 'scalars.json', 'a') as file:
        file.write(json.dumps(line) + '\n')
