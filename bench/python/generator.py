"""TRL's side of bench/generator.mjs: SFTTrainer over the same token ids, loss on the answers only. No evaluation, no saving, no logging.

Full fine-tuning, or with `lora` an adapter by peft. The model's own tokens are given, so that nothing is tokenised or cut again.
"""

import tempfile
import time

import torch
from datasets import Dataset
from side import finish, read_request
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

request = read_request()
settings = request["settings"]
batches = request["batches"]
size = len(batches[0])
examples = [example for batch in batches for example in batch]
dataset = Dataset.from_list(
    [
        {
            "input_ids": e["prompt"] + e["answer"],
            "completion_mask": [0] * len(e["prompt"]) + [1] * len(e["answer"]),
        }
        for e in examples
    ]
)


class Clock(TrainerCallback):
    """Seconds and loss of each optimizer step, forward passes of all its parts included."""

    def __init__(self):
        self.seconds = []

    def on_step_begin(self, *_, **__):
        self.began = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.seconds.append(time.perf_counter() - self.began)


class Recorded(SFTTrainer):
    losses = []

    def training_step(self, *args, **kwargs):
        loss = super().training_step(*args, **kwargs)
        self.losses.append(loss.item())
        return loss


with tempfile.TemporaryDirectory() as folder:
    config = SFTConfig(
        output_dir=folder,
        per_device_train_batch_size=request["rows"],
        gradient_accumulation_steps=size // request["rows"],
        max_steps=len(batches),
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        warmup_steps=settings["warmup_ratio"],
        lr_scheduler_type=settings["lr_scheduler_type"],
        max_grad_norm=settings["max_grad_norm"],
        max_length=None,
        completion_only_loss=True,
        gradient_checkpointing=False,
        bf16=request["precision"] == "bf16",
        use_cpu=True,
        train_sampling_strategy="sequential",
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    peft = {}
    if request.get("lora"):
        from peft import LoraConfig

        peft = {"peft_config": LoraConfig(task_type="CAUSAL_LM", **request["lora"])}
    model = AutoModelForCausalLM.from_pretrained(request["decoder"], dtype=torch.float32)
    clock = Clock()
    trainer = Recorded(
        model=model,
        args=config,
        train_dataset=dataset,
        processing_class=AutoTokenizer.from_pretrained(request["decoder"]),
        callbacks=[clock],
        **peft,
    )
    trainer.train()
parts = size // request["rows"]
losses = [sum(Recorded.losses[i : i + parts]) for i in range(0, len(Recorded.losses), parts)]
tokens = [sum(len(e["prompt"]) + len(e["answer"]) for e in batch) for batch in batches]
finish(
    ["trl", "peft"],
    seconds=clock.seconds[1:],
    tokens=tokens[1:],
    losses=losses,
    dtype=str(next(trainer.model.parameters()).dtype),
    attention=trainer.model.config._attn_implementation,
)
