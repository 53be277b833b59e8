"""Makes src/fixtures/operators.json with PyTorch: for each operator of the gradient table, inputs, output, and the gradients of a weighted sum of it.

    python packages/train/scripts/make-operator-references.py        (needs torch)

Each is written as PyTorch's users would, not as the graph is: attention by its formula, rotary positions by complex numbers.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

OUTPUT = Path(__file__).parent.parent / "src" / "fixtures" / "operators.json"
torch.manual_seed(11)
torch.set_default_dtype(torch.float64)


def rounded(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def attention(q, k, v):
    """[2, 2, 3, 4]; the last two keys of the second text are padding."""
    scores = q @ k.transpose(-1, -2) / 2
    scores[1, :, :, 1:] = -math.inf
    return scores.softmax(-1) @ v


def causal_attention(q, k, v):
    """q [2, 4, 7, 2], k and v [2, 2, 7, 2]: two heads share a key head."""
    k, v = (x.repeat_interleave(2, dim=1) for x in (k, v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(2)
    later = torch.ones(7, 7, dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -math.inf).softmax(-1) @ v


def rotary(x):
    """[1, 2, 3, 4] at positions 0, 2, 5: the pair (i, i + 2) is a complex number, turned by position times 0.5 or 0.1."""
    turn = torch.polar(torch.ones(3, 2), torch.tensor([0.0, 2.0, 5.0])[:, None] * torch.tensor([0.5, 0.1]))
    y = torch.complex(x[..., :2], x[..., 2:]) * turn
    return torch.cat([y.real, y.imag], -1)


ids = torch.tensor([[2, 0], [2, 2]])
columns = torch.tensor([[2, 0, 0], [1, 1, 2]])
positive = lambda *shape: torch.rand(*shape) + 0.5

# Operator: inputs (shapes or tensors), function.
CASES = {
    "Add": ([[2, 3], [3]], torch.add),
    "Sub": ([[2, 1], [3]], torch.sub),
    "Mul": ([[2, 3], [2, 1]], torch.mul),
    "Div": ([[2, 3], positive(3)], torch.div),
    "Neg": ([[3]], torch.neg),
    "Exp": ([[3]], torch.exp),
    "Log": ([positive(3)], torch.log),
    "Sqrt": ([positive(3)], torch.sqrt),
    "Erf": ([[4]], torch.erf),
    "Tanh": ([[4]], torch.tanh),
    "Sigmoid": ([[4]], torch.sigmoid),
    "Relu": ([[6]], torch.relu),
    "Gelu": ([[6]], F.gelu),
    "QuickGelu": ([[6]], F.silu),
    "Where": ([[2, 3], [3]], lambda a, b: torch.where(torch.tensor([[True, False, True], [False, False, True]]), a, b)),
    "FusedMatMul": ([[2, 3, 4], [2, 2, 4]], lambda a, b: 0.3 * a @ b.transpose(-1, -2)),
    "Gemm": ([[3, 4], [2, 4], [2]], F.linear),
    "Softmax": ([[2, 4]], lambda x: x.softmax(-1)),
    "LogSoftmax": ([[2, 4]], lambda x: x.log_softmax(-1)),
    "LayerNormalization": ([[2, 3, 4], [4], [4]], lambda x, w, b: F.layer_norm(x, [4], w, b, 1e-3)),
    "SimplifiedLayerNormalization": ([[2, 3, 4], [4]], lambda x, w: F.rms_norm(x, [4], w, 1e-3)),
    "Identity": ([[3]], lambda x: x.clone()),
    "Reshape": ([[2, 6]], lambda x: x.reshape(3, 4)),
    "Unsqueeze": ([[2, 3]], lambda x: x[None, :, None]),
    "Transpose": ([[2, 3, 4]], lambda x: x.permute(2, 0, 1)),
    "Concat": ([[2, 1], [2, 3]], lambda a, b: torch.cat([a, b], 1)),
    "Split": ([[4, 3]], lambda x: x[1:]),
    "Expand": ([[2, 1]], lambda x: x.expand(3, 2, 4)),
    "ReduceSum": ([[2, 3, 4]], lambda x: x.sum((0, 2))),
    "ReduceMean": ([[2, 3, 4]], lambda x: x.mean(1, keepdim=True)),
    "Gather": ([[3, 2]], lambda x: x[ids]),
    "GatherElements": ([[2, 3]], lambda x: x.gather(1, columns)),
    "RotaryEmbedding": ([[1, 2, 3, 4]], rotary),
    "Attention": ([[2, 2, 3, 4]] * 3, attention),
    "CausalAttention": ([[2, 4, 7, 2], [2, 2, 7, 2], [2, 2, 7, 2]], causal_attention),
}

references = {}
for name, (inputs, compute) in CASES.items():
    inputs = [(x if isinstance(x, torch.Tensor) else torch.randn(*x)).requires_grad_() for x in inputs]
    output = compute(*inputs)
    weights = torch.randn_like(output)
    gradients = torch.autograd.grad((output * weights).sum(), inputs)
    references[name] = {
        "inputs": [{"shape": list(x.shape), "data": rounded(x)} for x in inputs],
        "weights": rounded(weights),
        "output": rounded(output),
        "gradients": [rounded(gradient) for gradient in gradients],
    }
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in references.items())
OUTPUT.write_text(f"{{\n{lines}\n}}\n")
