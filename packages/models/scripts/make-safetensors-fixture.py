"""Writes a small file as Python's safetensors does, with the values the tests expect of it.

    python packages/models/scripts/make-safetensors-fixture.py     (needs: pip install torch safetensors)
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent.parent / "src" / "weights" / "fixtures"
FOLDER.mkdir(parents=True, exist_ok=True)

# Ties, subnormals, the largest half, values that round up to the next exponent, signed zero.
VALUES = [0.0, -0.0, 1.0, -1.5, 65504.0, 65519.0, 6.1035e-5, 5.96e-8, 2.9802322e-8, 2.98023259e-8, 8.940697e-8, 1e-9,
          1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-11 + 2**-20, 2047.5, 2048.5, 2049.5, 0.1, -3.14159274, 1023.9999, 0.33333334]
values = torch.tensor(VALUES, dtype=torch.float32)
tensors = {
    "float32": values.reshape(2, 11),
    "float16": values.to(torch.float16),
    "bfloat16": values.to(torch.bfloat16).reshape(11, 2),
    "embeddings.position_ids": torch.arange(5).reshape(1, 5),
    "scalar": torch.tensor(0.25),
    "empty": torch.zeros(0, 3),
}
save_file(tensors, FOLDER / "python.safetensors", metadata={"format": "pt"})
expected = {name: dict(shape=list(tensor.shape), values=tensor.float().flatten().tolist())
            for name, tensor in tensors.items() if tensor.is_floating_point()}
(FOLDER / "python.json").write_text(json.dumps(expected) + "\n")
