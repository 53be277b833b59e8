"""Makes the losses and gradients of training-step.test.ts by PyTorch, of the tiny BERT reranker that packages/models has as a fixture.

    python packages/train-reranker/scripts/make-loss-references.py        (needs torch, safetensors)

Tokens are those that CrossEncoder of sentence-transformers made (`ids` of the fixture's reference.safetensors), and the forward pass that is written out
here must give its logits. Writes src/fixtures/<loss>.safetensors: the loss, and the gradient of every parameter.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

PACKAGE = Path(__file__).parent.parent
MODEL = PACKAGE.parent / "models" / "src" / "fixtures" / "st-bert"
SEP = 3
# Three questions, each with the same three passages, the first of which counts as the gold one.
SIZES = [3, 3, 3]


def logits_of(weights, config, ids):
    """BERT with its pooler and classifier, without dropout: Devlin et al. 2019, as transformers' BertForSequenceClassification."""
    def linear(name, x):
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], config["layer_norm_eps"])

    mask = ids != config["pad_token_id"]
    closed = (ids == SEP).long()
    types = ((closed.cumsum(1) - closed) > 0).long() * mask
    table = "bert.embeddings"
    x = weights[f"{table}.word_embeddings.weight"][ids] + weights[f"{table}.token_type_embeddings.weight"][types]
    x = norm(f"{table}.LayerNorm", x + weights[f"{table}.position_embeddings.weight"][: ids.shape[1]])
    heads = config["num_attention_heads"]
    for layer in range(config["num_hidden_layers"]):
        at = f"bert.encoder.layer.{layer}"
        q, k, v = (
            linear(f"{at}.attention.self.{name}", x).unflatten(-1, (heads, -1)).transpose(1, 2) for name in ("query", "key", "value")
        )
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
        seen = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = norm(f"{at}.attention.output.LayerNorm", x + linear(f"{at}.attention.output.dense", seen))
        inner = F.gelu(linear(f"{at}.intermediate.dense", x))
        x = norm(f"{at}.output.LayerNorm", x + linear(f"{at}.output.dense", inner))
    return linear("classifier", torch.tanh(linear("bert.pooler.dense", x[:, 0])))[:, 0]


def listwise(logits):
    return F.cross_entropy(logits.view(len(SIZES), -1), torch.zeros(len(SIZES), dtype=torch.long))


def binary(logits):
    return F.binary_cross_entropy_with_logits(logits, torch.cat([torch.eye(size)[0] for size in SIZES]))


config = json.loads((MODEL / "config.json").read_text())
known = load_file(MODEL / "reference.safetensors")
weights = {name: value.float().requires_grad_() for name, value in load_file(MODEL / "model.safetensors").items()}
for kind, loss_of in (("listwise", listwise), ("binary", binary)):
    for weight in weights.values():
        weight.grad = None
    logits = logits_of(weights, config, known["ids"].long())
    torch.testing.assert_close(logits, known["logits"].flatten(), rtol=1e-5, atol=1e-5)
    loss = loss_of(logits)
    loss.backward()
    gradients = {name: weight.grad for name, weight in weights.items() if weight.grad is not None}
    (PACKAGE / "src" / "fixtures").mkdir(exist_ok=True)
    save_file({"loss": loss.detach()[None], **gradients}, PACKAGE / "src" / "fixtures" / f"{kind}.safetensors")
    print(kind, loss.item(), len(gradients))
