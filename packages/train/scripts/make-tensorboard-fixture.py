"""Writes src/fixtures/tensorboard.json: events as TensorBoard's own Python package writes them, which our writer must equal byte for byte.

Needs: pip install tensorboard (2.21).

    python packages/train/scripts/make-tensorboard-fixture.py
"""

import base64
import io
import json
from pathlib import Path

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

OUTPUT = Path(__file__).parent.parent / "src" / "fixtures" / "tensorboard.json"

EVENTS = [
    {"wallTime": 1750000000.25, "fileVersion": "brain.Event:2"},
    {"wallTime": 1750000001.5, "step": 31, "sessionLog": {"status": 1}},
    {
        "wallTime": 1750000002.0,
        "step": 300,
        "summary": {"value": [{"tag": "train/loss", "simpleValue": 0.1}, {"tag": "eval/récall4", "simpleValue": -1e-7}]},
    },
]


def message(event):
    result = event_pb2.Event(wall_time=event["wallTime"])
    if "step" in event:
        result.step = event["step"]
    if "fileVersion" in event:
        result.file_version = event["fileVersion"]
    if "sessionLog" in event:
        result.session_log.status = event["sessionLog"]["status"]
    for value in event.get("summary", {}).get("value", []):
        result.summary.value.append(summary_pb2.Summary.Value(tag=value["tag"], simple_value=value["simpleValue"]))
    return result


class Kept(io.BytesIO):
    def close(self):
        pass


file = Kept()
writer = RecordWriter(file)
for event in EVENTS:
    writer.write(message(event).SerializeToString())
writer.flush()
rows = {"events": EVENTS, "file": base64.b64encode(file.getvalue()).decode()}
OUTPUT.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
