"""Distils the tiny BERT sentence encoder from a larger one (e5-small-v2).

    python distil_encoder.py --corpus corpus.jsonl --teacher /path/to/e5-small-v2 --out ../tiny-encoder

The student's token embeddings start as the PCA of the teacher's (mean over the teacher's pieces of each token).
It then learns, on short passages, headings and sentences, (1) the PCA of the teacher's sentence
vectors by cosine and (2) the teacher's similarities within a batch by KL divergence.
Needs the tokenizer that train_tokenizers.py wrote to --out.
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

from common import load_corpus, passages, sentences


def make_texts(corpus, n, rng):
    """Prefixed training texts: passages (with and without their heading); and headings, sentences, parts of sentences.

    No questions: what to make of 'How do I ...?' is for the fine-tuning to learn.
    """
    docs = load_corpus(corpus)
    rng.shuffle(docs)
    per_doc = []
    for doc in docs:
        found = passages(doc)
        rng.shuffle(found)
        keep = 30 if doc["family"] == "npm" else 12
        per_doc += [(doc, h, p) for h, p in found[:keep]]
    rng.shuffle(per_doc)
    queries, contents = [], []
    for doc, heading, passage in per_doc[: n // 2]:
        contents.append("passage: " + (f"{doc['title']}\n{heading}\n" if rng.random() < 0.5 else "") + passage)
        found = sentences(passage)
        kind = rng.random()
        if kind < 0.3 or not found:
            q = rng.choice([heading, heading.lower(), f"{doc['title'][:40]} {heading}"])
        elif kind < 0.65:
            q = rng.choice(found)
        else:
            picked = rng.choice(found).rstrip(".:!").split()
            start = rng.randrange(0, max(1, len(picked) - 6))
            q = " ".join(picked[start:start + rng.randint(4, 10)])
        queries.append("query: " + q)
    return queries, contents


def mean_pool(hidden, mask):
    m = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * m).sum(1) / m.sum(1).clamp(min=1)


def batches_by_length(encoded, size):
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    return [order[i:i + size] for i in range(0, len(order), size)]


def pad(rows, pad_id):
    width = -(-max(map(len, rows)) // 16) * 16  # few different shapes: faster
    ids = torch.full((len(rows), width), pad_id)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for i, r in enumerate(rows):
        ids[i, :len(r)] = torch.tensor(r)
        mask[i, :len(r)] = 1
    return ids, mask


@torch.no_grad()
def teacher_vectors(folder, texts, max_len):
    tok, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    encoded = tok(texts, truncation=True, max_length=max_len)["input_ids"]
    out, done, start = torch.zeros(len(texts), model.config.hidden_size), 0, time.time()
    for batch in batches_by_length(encoded, 64):
        ids, mask = pad([encoded[i] for i in batch], tok.pad_token_id)
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        out[batch] = F.normalize(mean_pool(hidden.float(), mask), dim=-1)
        done += len(batch)
        if (done // 64) % 40 == 0:
            print(f"teacher {done}/{len(texts)} {time.time() - start:.0f}s", flush=True)
    return out, tok, model.get_input_embeddings().weight.detach().float()


def initial_embeddings(student_tok, teacher_tok, teacher_emb, dim):
    vocab = sorted(student_tok.get_vocab().items(), key=lambda kv: kv[1])
    table = teacher_tok.get_vocab()
    rows = torch.zeros(len(vocab), teacher_emb.shape[1])
    for token, i in vocab:
        if token in table:
            rows[i] = teacher_emb[table[token]]
        else:
            ids = teacher_tok(token.removeprefix("##"), add_special_tokens=False)["input_ids"] or [teacher_tok.unk_token_id]
            rows[i] = teacher_emb[ids].mean(0)
    rows -= rows.mean(0)
    _, _, v = torch.linalg.svd(rows, full_matrices=False)
    projected = rows @ v[:dim].T
    return projected / projected.std() * 0.05


def write_model(model, args):
    out = Path(args.out)
    state = {k: v.detach().to(torch.float16).contiguous() for k, v in model.state_dict().items()
             if not k.startswith("pooler.") and not k.endswith(("position_ids", "token_type_ids"))}
    save_file(state, out / "model.safetensors", metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)
    cfg = model.config
    (out / "config.json").write_text(json.dumps({
        "architectures": ["BertModel"], "model_type": "bert", "attention_probs_dropout_prob": 0.1, "classifier_dropout": None,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": cfg.hidden_size, "initializer_range": 0.02,
        "intermediate_size": cfg.intermediate_size, "layer_norm_eps": 1e-12, "max_position_embeddings": 512,
        "num_attention_heads": cfg.num_attention_heads, "num_hidden_layers": cfg.num_hidden_layers, "pad_token_id": 0,
        "position_embedding_type": "absolute", "torch_dtype": "float16", "type_vocab_size": 2, "use_cache": True,
        "vocab_size": cfg.vocab_size}, indent=2) + "\n")
    files = {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}],
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": cfg.hidden_size, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False,
            "pooling_mode_weightedmean_tokens": False, "pooling_mode_lasttoken": False, "include_prompt": True},
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "__version__": {"sentence_transformers": "3.0.0", "transformers": "4.41.0", "pytorch": "2.3.0"},
            "prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": None,
            "similarity_fn_name": "cosine"}}
    for name, value in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(json.dumps(value, indent=2) + "\n")
    print(f"saved {out} {(out / 'model.safetensors').stat().st_size / 1e6:.2f} MB", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--corpus", required=True)
    ap.add_argument("--teacher", required=True, help="folder of the teacher (e5-small-v2)")
    ap.add_argument("--out", required=True, help="folder that already has the tokenizer")
    ap.add_argument("--cache", help="file to keep the teacher's vectors in between runs (.pt)")
    ap.add_argument("--texts", type=int, default=8_000)
    ap.add_argument("--max-len", type=int, default=112)
    ap.add_argument("--hidden", type=int, default=192)
    ap.add_argument("--layers", type=int, default=3)
    ap.add_argument("--heads", type=int, default=6)
    ap.add_argument("--ffn", type=int, default=768)
    ap.add_argument("--steps", type=int, default=100)
    ap.add_argument("--batch", type=int, default=32, help="pairs (a query and a passage each) a step")
    ap.add_argument("--lr", type=float, default=8e-4)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    queries, contents = make_texts(args.corpus, args.texts, rng)
    print(len(queries), "pairs;", queries[:3], contents[0][:200], flush=True)
    if args.cache and Path(args.cache).exists():
        saved = torch.load(args.cache, weights_only=True)
        vectors, teacher_emb = saved["vectors"], saved["embeddings"]
        teacher_tok = AutoTokenizer.from_pretrained(args.teacher)
        assert len(vectors) == 2 * len(queries)
    else:
        vectors, teacher_tok, teacher_emb = teacher_vectors(args.teacher, queries + contents, args.max_len)
        if args.cache:
            torch.save({"vectors": vectors, "embeddings": teacher_emb}, args.cache)

    # e5's vectors all point about one way: centre them, so that the student needs no shared direction of its own.
    centred = F.normalize(vectors - vectors.mean(0), dim=-1)
    _, _, v = torch.linalg.svd(centred[torch.randperm(len(centred))[:8000]], full_matrices=False)
    target = F.normalize(centred @ v[:args.hidden].T, dim=-1)

    tok = AutoTokenizer.from_pretrained(args.out)
    model = BertModel(BertConfig(
        vocab_size=len(tok), hidden_size=args.hidden, num_hidden_layers=args.layers, num_attention_heads=args.heads,
        intermediate_size=args.ffn, max_position_embeddings=512, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0), add_pooling_layer=False)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.copy_(initial_embeddings(tok, teacher_tok, teacher_emb, args.hidden))
    encoded = tok(queries + contents, truncation=True, max_length=args.max_len)["input_ids"]
    n = len(queries)
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}],
                            lr=args.lr, betas=(0.9, 0.98))
    model.train()
    start, order = time.time(), []
    for step in range(args.steps):
        lr = args.lr * min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / args.steps)))
        for group in opt.param_groups:
            group["lr"] = lr
        if len(order) < args.batch:
            order = torch.randperm(n).tolist()
        pick, order = order[:args.batch], order[args.batch:]
        out = []
        for rows in (pick, [n + i for i in pick]):
            ids, mask = pad([encoded[i] for i in rows], 0)
            with torch.autocast("cpu", torch.bfloat16):
                hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
            out.append(F.normalize(mean_pool(hidden.float(), mask), dim=-1))
        student = torch.cat(out)
        wanted = target[pick + [n + i for i in pick]]
        full = centred[pick + [n + i for i in pick]]
        direct = 1 - (student * wanted).sum(-1).mean()
        blind = -1e4 * torch.eye(len(student))
        kl = F.kl_div(F.log_softmax(student @ student.T / 0.07 + blind, -1),
                      F.softmax(full @ full.T / 0.07 + blind, -1), reduction="batchmean")
        loss = direct + 0.5 * kl
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if step % 25 == 24:
            print(f"step {step + 1} {time.time() - start:.0f}s lr {lr:.1e} direct {direct.item():.4f} kl {kl.item():.4f}", flush=True)
    write_model(model.eval(), args)


if __name__ == "__main__":
    main()
