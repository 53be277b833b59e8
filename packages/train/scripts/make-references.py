"""Makes src/fixtures/references.json with PyTorch: AdamW with warm-up, cosine and clipping over 20 steps, and
contrastive losses, with one positive a query and with several, and distillation losses.

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

def distillation():
    """Lists of four, two and one passages of three questions, the gold one first; torch's KLDivLoss, and MarginMSE as sentence-transformers has it."""
    torch.manual_seed(2)
    queries = torch.randn(3, 4, requires_grad=True)
    keys = torch.randn(6, 4, requires_grad=True)
    lists = [[2, 0, 5, 3], [1, 4], [5]]
    scores = [[7.5, 6.0, -3.25, 1.0], [-1.5, 0.5], [2.0]]
    cases = []
    for similarity, student, teacher in (("cosine", 0.05, 2.0), ("dot", 1.0, 1.0)):
        for kind in ("kl", "margin_mse"):
            queries.grad = keys.grad = None
            q, k = (torch.nn.functional.normalize(v) if similarity == "cosine" else v for v in (queries, keys))
            found = [(q[i] @ k[own].T) / student for i, own in enumerate(lists)]
            wanted = [torch.tensor(own) / teacher for own in scores]
            if kind == "kl":
                divergence = torch.nn.KLDivLoss(reduction="sum")
                terms = [divergence(s.log_softmax(-1), t.softmax(-1)) for s, t in zip(found, wanted)]
                loss = sum(terms) / len(terms)
            else:
                margins = [torch.cat([(own[0] - own[1:]) for own in side]) for side in (found, wanted)]
                loss = torch.nn.MSELoss()(*margins)
            loss.backward()
            cases.append({
                "kind": kind, "similarity": similarity, "studentTemperature": student, "teacherTemperature": teacher,
                "loss": loss.item(), "queryGradients": rounded(queries.grad), "keyGradients": rounded(keys.grad),
            })
    return {
        "queries": rounded(queries), "keys": rounded(keys), "cases": cases,
        "lists": [{"keys": own, "scores": of} for own, of in zip(lists, scores)],
    }


OUTPUT.parent.mkdir(exist_ok=True)
OUTPUT.write_text(json.dumps({"optimizer": optimizer(), "contrastive": contrastive(), "distillation": distillation()}) + "\n")
