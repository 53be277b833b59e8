"""PyTorch's side of bench/parity.mjs: gradients on the first batch and losses over all of a request (JSON file); prints JSON."""

import json
import re
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModel, AutoModelForCausalLM, get_scheduler

request = json.load(open(sys.argv[1]))
settings = request["settings"]
encoder = request["kind"] == "encoder"
loader = AutoModel if encoder else AutoModelForCausalLM
dtype = getattr(torch, request.get("dtype", "float32"))
# The plain formula unless told: the fused attention of CPUs ("sdpa") rounds ten times as much as all the rest together.
attention = request.get("attention", "eager")
model = loader.from_pretrained(request["model"], dtype=dtype, attn_implementation=attention).eval()  # eval: no dropout, as ours


def pad(sequences, value):
    width = max(map(len, sequences))
    return torch.tensor([s + [value] * (width - len(s)) for s in sequences])


def vectors(sequences):
    ids = pad(sequences, 0)
    mask = pad([[1] * len(s) for s in sequences], 0)
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    return torch.nn.functional.normalize((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))


def contrastive(batch):
    scores = vectors(batch["queries"]) @ vectors(batch["keys"]).T / request["temperature"]
    return torch.nn.functional.cross_entropy(scores, torch.tensor(batch["labels"]))


def answers(batch):
    whole = [item["prompt"] + item["answer"] for item in batch]
    labels = pad([[-100] * len(item["prompt"]) + item["answer"] for item in batch], -100)
    mask = pad([[1] * len(s) for s in whole], 0)
    return model(input_ids=pad(whole, 0), attention_mask=mask, labels=labels).loss


named = [(name, p) for name, p in model.named_parameters() if not name.startswith("pooler")]
plain = re.compile(r"bias$|norm[^.]*\.weight$", re.IGNORECASE)
groups = [
    {"params": [p for n, p in named if not plain.search(n)], "weight_decay": settings["weight_decay"]},
    {"params": [p for n, p in named if plain.search(n)], "weight_decay": 0.0},
]
adamw = torch.optim.AdamW(groups, lr=settings["learning_rate"])
steps = len(request["batches"])
warmup = -(-steps * settings["warmup_ratio"] // 1)
schedule = get_scheduler(settings["lr_scheduler_type"], adamw, num_warmup_steps=int(warmup), num_training_steps=steps)
losses = []
for step, batch in enumerate(request["batches"]):
    loss = contrastive(batch) if encoder else answers(batch)
    loss.backward()
    if step == 0:
        save_file({n: p.grad.float().contiguous() for n, p in named if p.grad is not None}, request["gradientFile"])
    torch.nn.utils.clip_grad_norm_([p for _, p in named], settings["max_grad_norm"])
    adamw.step()
    schedule.step()
    adamw.zero_grad()
    losses.append(loss.item())
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
print(json.dumps({"losses": losses, "pytorch": {**versions, "attention": model.config._attn_implementation, "dtype": str(model.dtype)}}))
