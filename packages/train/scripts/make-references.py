"""Makes src/fixtures/references.json with PyTorch: AdamW with warm-up, cosine and clipping over 20 steps, and
contrastive losses, with one positive a query and with several.

    python packages/train/scripts/make-references.py        (needs torch, transformers)
"""

import json
from pathlib import Path

import torch
from transformers import get_scheduler

OUTPUT = Path(__file__).parent.parent / "src" / "fixtures" / "references.json"


def rounded(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def optimizer():
    """A matrix (decayed) and a bias (not): loss = sum((x w + b - y)^2) / 4, whose gradients the test works out itself."""
    torch.manual_seed(0)
    x, y = torch.randn(4, 3), torch.randn(4, 2) * 3
    weight, bias = torch.nn.Parameter(torch.randn(3, 2)), torch.nn.Parameter(torch.randn(2))
    start = {"weight": rounded(weight), "bias": rounded(bias), "x": rounded(x), "y": rounded(y)}
    groups = [{"params": [weight], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=0.3)
    schedule = get_scheduler("cosine", adamw, num_warmup_steps=2, num_training_steps=20)
    steps = []
    for _ in range(20):
        loss = ((x @ weight + bias - y) ** 2).sum() / 4
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([weight, bias], 2.0)
        steps.append({"loss": loss.item(), "lr": schedule.get_last_lr()[0], "norm": norm.item()})
        adamw.step()
        schedule.step()
        adamw.zero_grad()
    return {**start, "steps": steps, "end": {"weight": rounded(weight), "bias": rounded(bias)}}


def contrastive():
    torch.manual_seed(1)
    queries = torch.randn(3, 4, requires_grad=True)
    keys = torch.randn(5, 4, requires_grad=True)
    labels = [1, 0, 1]  # two questions of one passage
    excluded = [[0, 3], [2, 4]]
    cases = []
    for similarity, temperature in (("cosine", 0.05), ("dot", 1.0)):
        queries.grad = keys.grad = None
        q, k = (torch.nn.functional.normalize(v) if similarity == "cosine" else v for v in (queries, keys))
        scores = q @ k.T / temperature
        mask = torch.zeros_like(scores)
        for row, column in excluded:
            mask[row, column] = float("-inf")
        loss = torch.nn.functional.cross_entropy(scores + mask, torch.tensor(labels))
        loss.backward()
        cases.append({
            "similarity": similarity, "temperature": temperature, "loss": loss.item(),
            "queryGradients": rounded(queries.grad), "keyGradients": rounded(keys.grad),
        })
    # Of several positives: the first query has three, the second one, the third two. SINCERE of Feeney and Hughes 2023, term by term.
    positives = [[0, 0], [0, 4], [2, 2]]
    several = []
    for similarity, temperature in (("cosine", 0.05), ("dot", 1.0)):
        queries.grad = keys.grad = None
        q, k = (torch.nn.functional.normalize(v) if similarity == "cosine" else v for v in (queries, keys))
        scores = q @ k.T / temperature
        loss = 0
        for row, label in enumerate(labels):
            own = [label] + [column for query, column in positives if query == row]
            out = own + [column for query, column in excluded if query == row]
            negatives = [scores[row, column] for column in range(len(keys)) if column not in out]
            terms = [scores[row, p] - torch.logsumexp(torch.stack([scores[row, p], *negatives]), 0) for p in own]
            loss = loss - sum(terms) / len(own) / len(labels)
        loss.backward()
        several.append({
            "similarity": similarity, "temperature": temperature, "loss": loss.item(),
            "queryGradients": rounded(queries.grad), "keyGradients": rounded(keys.grad),
        })
    return {
        "queries": rounded(queries), "keys": rounded(keys), "labels": labels, "excluded": excluded, "cases": cases,
        "positives": positives, "several": several,
    }


OUTPUT.parent.mkdir(exist_ok=True)
OUTPUT.write_text(json.dumps({"optimizer": optimizer(), "contrastive": contrastive()}) + "\n")
