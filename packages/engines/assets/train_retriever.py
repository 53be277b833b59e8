"""Trains an encoder with sentence-transformers as rag-ft's train-retriever would: its batches, negatives and masks, on any number of processes."""

import argparse
import json

import torch
from datasets import load_dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.util import all_gather, all_gather_with_grad
from torch.utils.data import SequentialSampler
from transformers import AutoConfig


class MaskedContrastiveLoss(torch.nn.Module):
    """Cross-entropy of each question's own passage among the passages of all processes.

    Labels of a row: the ids of its passages, column by column (-1: no passage), then ids that are no negatives of its question (-1: none).
    A passage that stands several times counts once. Without ids that are masked or repeated it is MultipleNegativesRankingLoss.
    """

    def __init__(self, model, temperature, cosine, lengths):
        super().__init__()
        self.model = model
        self.temperature = temperature
        self.cosine = cosine
        self.lengths = lengths

    def forward(self, sentence_features, labels):
        questions, *columns = [self.model(features)["sentence_embedding"] for features in sentence_features]
        passages = all_gather_with_grad(torch.cat(columns))
        ids = all_gather(labels[:, : len(columns)].T.reshape(-1).contiguous())
        first = (ids[:, None] == ids[None, :]).int().argmax(dim=1)
        counts = (ids >= 0) & (first == torch.arange(len(ids), device=ids.device))
        own = (labels[:, :1] == ids[None, :]).int().argmax(dim=1)
        excluded = (labels[:, len(columns) :, None] == ids[None, None, :]).any(dim=1)
        masked = excluded | ~counts[None, :]
        loss = 0
        for length in self.lengths or [passages.shape[1]]:
            left, right = questions[:, :length], passages[:, :length]
            if self.cosine:
                left, right = torch.nn.functional.normalize(left), torch.nn.functional.normalize(right)
            scores = (left @ right.T).float() / self.temperature
            loss = loss + torch.nn.functional.cross_entropy(scores.masked_fill(masked, float("-inf")), own)
        return loss


def in_order(dataset, batch_size, drop_last, **_):
    """The rows lie in the order in which they are trained on."""
    return DefaultBatchSampler(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


def read_jsonl(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def evaluator(depths, batch_size):
    corpus = {row["_id"]: row["text"] for row in read_jsonl("eval/corpus.jsonl")}
    queries = {row["_id"]: row["text"] for row in read_jsonl("eval/queries.jsonl")}
    relevant = {}
    with open("eval/qrels/test.tsv", encoding="utf-8") as file:
        for line in file.read().splitlines()[1:]:
            query, passage, _ = line.split("\t")
            relevant.setdefault(query, set()).add(passage)
    at = {name: depths for name in ["mrr_at_k", "ndcg_at_k", "accuracy_at_k", "precision_recall_at_k", "map_at_k"]}
    return InformationRetrievalEvaluator(queries, corpus, relevant, name="rag-ft", batch_size=batch_size, write_csv=False, **at)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--resume_from_checkpoint")
    parser.add_argument("--use_cpu", action="store_true")
    parser.add_argument("--attn_implementation")
    given = parser.parse_args()
    with open("train.json", encoding="utf-8") as file:
        job = json.load(file)
    config = AutoConfig.from_pretrained("base")
    dropout = {key: job["dropout"] for key, value in config.to_dict().items() if "dropout" in key and isinstance(value, (int, float))}
    attention = given.attn_implementation or job["attn_implementation"]
    model = SentenceTransformer(
        "base",
        device="cpu" if given.use_cpu else None,
        config_kwargs=dropout,
        model_kwargs={"attn_implementation": attention} if attention else {},
    )
    arguments = SentenceTransformerTrainingArguments(**job["arguments"], use_cpu=given.use_cpu, batch_sampler=in_order)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=load_dataset("json", data_files="data/train.jsonl", split="train"),
        loss=MaskedContrastiveLoss(model, job["temperature"], job["cosine"], job["lengths"]),
        evaluator=evaluator(job["depths"], arguments.per_device_eval_batch_size) if job["depths"] else None,
    )
    trainer.train(resume_from_checkpoint=given.resume_from_checkpoint)
    trainer.save_model("result")


if __name__ == "__main__":
    main()
