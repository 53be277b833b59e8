"""Prints what TensorBoard reads from a folder of event files: a line a tag, with its steps and values.

Needs: pip install tensorboard.

    python packages/train/scripts/read-tensorboard.py result/quickstart/retriever/runs
"""

import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

accumulator = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
accumulator.Reload()
for tag in accumulator.Tags()["scalars"]:
    print(tag, [(event.step, round(event.value, 6)) for event in accumulator.Scalars(tag)])
