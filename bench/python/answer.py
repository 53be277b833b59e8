"""transformers' side of bench/answer.mjs: `generate`, greedy, prompts of about the same length padded on the left in batches of `rows`."""

import torch
from side import Stopwatch, finish, read_request
from transformers import AutoModelForCausalLM

request = read_request()
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[request["precision"]]
model = AutoModelForCausalLM.from_pretrained(request["decoder"], dtype=dtype).eval()


@torch.inference_mode()
def answer(prompts, room):
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    made = model.generate(
        input_ids=ids,
        attention_mask=mask,
        do_sample=False,
        max_new_tokens=room,
        min_new_tokens=room,
        pad_token_id=0,
    )
    return made[:, width:].tolist()


prompts, room, rows = request["prompts"], request["room"], request["rows"]
answer([prompts[0][:64]], 2)
order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
made = [[]] * len(prompts)
with Stopwatch() as watch:
    for start in range(0, len(order), rows):
        some = order[start : start + rows]
        for i, ids in zip(some, answer([prompts[i] for i in some], room)):
            made[i] = ids
finish(
    [],
    seconds=[watch.seconds],
    answers=[len(prompts)],
    tokens=[sum(map(len, prompts)) + sum(map(len, made))],
    made=made,
)
