"""sentence-transformers' side of bench/retriever.mjs: optimizer steps over batches of (query, passage), from texts to new weights.

The trainer's parts are called one by one: the collator's preprocessing (each column padded to its longest), the loss, backward, clipping, fused
AdamW. Dropout is off unless asked for: it costs time, and our side has it only where asked for, too. bf16 is autocast, over the backward pass too, since the cached
loss embeds again there.
"""

import contextlib

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    MultipleNegativesRankingLoss,
)
from side import Stopwatch, finish, free_mb, peak_rss_mb, read_request
from transformers import get_scheduler

request = read_request()
settings = request["settings"]
torch.manual_seed(request.get("seed", 0))
model = SentenceTransformer(request["encoder"], device="cpu", model_kwargs={"dtype": torch.float32})
model.max_seq_length = request["max_length"]
model.train()
if not request.get("dropout", False):
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model[0].model.config.attention_probs_dropout_prob = 0.0
scale = 1 / request["temperature"]
mini_batch = request.get("mini_batch")
loss_function = (
    CachedMultipleNegativesRankingLoss(model, scale=scale, mini_batch_size=mini_batch)
    if mini_batch
    else MultipleNegativesRankingLoss(model, scale=scale)
)
no_decay = ("bias", "LayerNorm.weight", "norm.weight")
named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
groups = [
    {"params": [p for n, p in named if not n.endswith(no_decay)], "weight_decay": settings["weight_decay"]},
    {"params": [p for n, p in named if n.endswith(no_decay)], "weight_decay": 0.0},
]
adamw = torch.optim.AdamW(groups, lr=settings["learning_rate"], fused=True)
steps = request.get("steps") or len(request["batches"]) + 1
warmup_steps = int(-(-steps * settings["warmup_ratio"] // 1))
schedule = get_scheduler(settings["lr_scheduler_type"], adamw, num_warmup_steps=warmup_steps, num_training_steps=steps)


def autocast():
    return torch.autocast("cpu", torch.bfloat16) if request["precision"] == "bf16" else contextlib.nullcontext()


def features_of(batch):
    return [model.preprocess([pair[column] for pair in batch]) for column in ("query", "passage")]


def forward_backward(batch):
    features = features_of(batch)
    with autocast():
        loss = loss_function(features, None)
        loss.backward()
    return features, loss


def step(batch):
    with Stopwatch() as watch:
        features, loss = forward_backward(batch)
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings["max_grad_norm"])
        adamw.step()
        schedule.step()
        adamw.zero_grad()
    tokens = sum(int(column["attention_mask"].sum()) for column in features)
    padded = sum(column["attention_mask"].numel() for column in features)
    return {"seconds": watch.seconds, "loss": loss.item(), "tokens": tokens, "padded_tokens": padded}


def too_large(batch):
    """Does the plain loss's memory, estimated from a small batch, fit what is free? Says what it would need when it does not."""

    def padded(features):
        return sum(column["attention_mask"].numel() for column in features)

    before = peak_rss_mb()
    features, _ = forward_backward(batch[:4])
    adamw.zero_grad()
    needed = (peak_rss_mb() - before) / padded(features) * padded(features_of(batch))
    free = free_mb()
    if needed > 0.9 * free:
        return f"does not fit: about {needed / 1024:.0f} GB needed, {free / 1024:.0f} GB free"
    return None


if not mini_batch and (reason := too_large(request["batches"][0])):
    finish(["sentence-transformers"], skipped=reason)
else:
    if request.get("warmup"):
        step(request["warmup"])
    if request.get("untrained_warmup"):
        forward_backward(request["untrained_warmup"])
        adamw.zero_grad()
    done = []
    for number, batch in enumerate(request["batches"], 1):
        done.append(step(batch))
        # As it is after so many steps, for who wants to see it learn; the time is not the training's.
        if number in request.get("save_at", []):
            model.save(f"{request['save']}-{number}")
    if request.get("save") and not request.get("save_at"):
        model.save(request["save"])
    finish(
        ["sentence-transformers"],
        seconds=[item["seconds"] for item in done],
        losses=[item["loss"] for item in done],
        tokens=done[0]["tokens"],
        padded_tokens=done[0]["padded_tokens"],
        pairs=len(request["batches"][0]),
    )
