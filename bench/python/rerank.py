"""sentence-transformers' side of bench/rerank.mjs: CrossEncoder.predict, a question at a time; the logits, without its sigmoid."""

import contextlib

import torch
from sentence_transformers import CrossEncoder
from side import Stopwatch, finish, read_request

request = read_request()
model = CrossEncoder(request["reranker"], device="cpu", model_kwargs={"dtype": torch.float32})
precision = torch.autocast("cpu", torch.bfloat16) if request["precision"] == "bf16-autocast" else contextlib.nullcontext()


def score(pairs):
    with precision:
        return model.predict(
            [tuple(pair) for pair in pairs],
            batch_size=request["rows"],
            activation_fn=torch.nn.Identity(),
            show_progress_bar=False,
            convert_to_tensor=True,
        )


score(request["pairs"][0])
logits = []
with Stopwatch() as watch:
    for pairs in request["pairs"]:
        logits.extend(score(pairs).float().flatten().tolist())
tokens = sum(len(model.tokenizer(*pair)["input_ids"]) for pairs in request["pairs"] for pair in pairs)
finish(["sentence-transformers"], seconds=[watch.seconds], tokens=[tokens], logits=logits)
