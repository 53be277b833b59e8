"""Trains a cross-encoder with sentence-transformers as rag-ft's train-reranker would: its groups of passages and its loss, on any number of processes."""

import argparse
import json

import torch
from datasets import load_dataset
from sentence_transformers import CrossEncoder, CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
from torch.utils.data import SequentialSampler
from transformers import AutoConfig


class GroupLoss(torch.nn.Module):
    """listwise: cross-entropy of a question's gold passage, the first of its group, in a softmax over the group; binary: each pair by itself."""

    def __init__(self, model, kind, max_length):
        super().__init__()
        self.model = model
        self.tokenizer = model.tokenizer
        self.kind = kind
        self.max_length = max_length

    def forward(self, inputs, labels, **_):
        questions, groups = inputs
        sizes = [len(passages) for passages in groups]
        left = [question for question, size in zip(questions, sizes) for _ in range(size)]
        right = [passage for passages in groups for passage in passages]
        tokens = self.tokenizer(left, right, padding=True, truncation="only_second", max_length=self.max_length, return_tensors="pt")
        device = next(self.model.parameters()).device
        logits = self.model({name: tensor.to(device) for name, tensor in tokens.items()})["scores"].view(-1).float()
        if self.kind == "binary":
            return torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.cat(list(labels)).float().to(device))
        own = torch.zeros(1, dtype=torch.long, device=device)
        return sum(torch.nn.functional.cross_entropy(group[None], own) for group in logits.split(sizes)) / len(sizes)


def in_order(dataset, batch_size, drop_last, **_):
    """The rows lie in the order in which they are trained on."""
    return DefaultBatchSampler(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


def evaluator(at_k, batch_size):
    with open("eval/candidates.jsonl", encoding="utf-8") as file:
        samples = [json.loads(line) for line in file]
    return CrossEncoderRerankingEvaluator(
        samples, at_k=at_k, always_rerank_positives=False, name="rag-ft", batch_size=batch_size, write_csv=False
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--resume_from_checkpoint")
    parser.add_argument("--use_cpu", action="store_true")
    parser.add_argument("--attn_implementation")
    given = parser.parse_args()
    with open("train.json", encoding="utf-8") as file:
        job = json.load(file)
    config = AutoConfig.from_pretrained("base")
    dropout = {key: 0.0 for key, value in config.to_dict().items() if "dropout" in key and isinstance(value, (int, float))}
    attention = given.attn_implementation or job["attn_implementation"]
    model = CrossEncoder(
        "base",
        device="cpu" if given.use_cpu else None,
        max_length=job["max_length"],
        config_kwargs=dropout,
        model_kwargs={"attn_implementation": attention} if attention else {},
    )
    arguments = CrossEncoderTrainingArguments(**job["arguments"], use_cpu=given.use_cpu, batch_sampler=in_order)
    trainer = CrossEncoderTrainer(
        model=model,
        args=arguments,
        train_dataset=load_dataset("json", data_files="data/train.jsonl", split="train"),
        loss=GroupLoss(model, job["loss"], job["max_length"]),
        evaluator=evaluator(job["at_k"], arguments.per_device_eval_batch_size) if job["at_k"] else None,
    )
    trainer.train(resume_from_checkpoint=given.resume_from_checkpoint)
    trainer.save_model("result")


if __name__ == "__main__":
    main()
