"""sentence-transformers' side of bench/embed.mjs: `encode`, which sorts by length itself. bf16 as autocast, or with weights of bf16."""

import contextlib

import torch
from sentence_transformers import SentenceTransformer
from side import Stopwatch, finish, read_request

request = read_request()
overrides = request["overrides"]
model = SentenceTransformer(request["encoder"], device="cpu", model_kwargs={"dtype": torch.float32})
model.max_seq_length = overrides["max_length"]
if request["precision"] == "bf16-weights":
    model.bfloat16()
autocast = torch.autocast("cpu", torch.bfloat16) if request["precision"] == "bf16-autocast" else contextlib.nullcontext()


def encode(texts):
    with autocast:
        return model.encode(
            texts,
            prompt=overrides["passage_prefix"],
            batch_size=request["rows"],
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_tensor=True,
        )


encode(request["warmup"])
with Stopwatch() as watch:
    vectors = encode(request["texts"])
texts = [overrides["passage_prefix"] + text for text in request["texts"]]
tokens = sum(int(model.preprocess([text])["attention_mask"].sum()) for text in texts)
finish(
    ["sentence-transformers"],
    seconds=[watch.seconds],
    tokens=[tokens],
    vectors=vectors[: request["sample"]].float().tolist(),
)
