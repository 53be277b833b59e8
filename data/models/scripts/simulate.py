"""Checks that the two tiny models can be fine-tuned: a small simulation of the quickstart on held-out npm READMEs.

    python simulate.py encoder --corpus corpus.jsonl --model ../tiny-encoder
    python simulate.py decoder --corpus corpus.jsonl --model ../tiny-decoder

The READMEs are those that common.py keeps out of training; 70 % of their packages give the training questions, the others
the test questions. Questions are made by rules from headings and telling words, answers are sentences of the passage.
Encoder: recall@4 over all passages before and after contrastive training with in-batch negatives.
Decoder: ROUGE-L of greedy answers before and after training with the loss on the answer alone.
"""
import argparse
import hashlib
import math
import random
import time

import torch
import torch.nn.functional as F
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

from common import Rarity, load_corpus, passages, sentences

SYSTEM = "Answer the question with the sentences of the sources that say it."


def make_questions(args):
    """(passages, train, test): passages as dicts; questions as {q, answer, gold} with gold an index into passages."""
    rng = random.Random(args.seed)
    docs = [d for d in load_corpus(args.corpus, held_out=True)]
    bank, groups = [], {}
    for d in docs:
        name = d["source"].removesuffix("/README.md")
        found = passages(d, 400)[:25]
        for heading, text in found:
            groups.setdefault(name, []).append(len(bank))
            bank.append({"name": name, "source": d["source"], "title": d["title"], "heading": heading, "text": text})
    rarity = Rarity(b["text"] for b in bank)
    train, test = [], []
    for name, ids in groups.items():
        made, seen = [], set()
        for i in ids:
            b = bank[i]
            found = sentences(b["text"])
            if not found:
                continue
            h = b["heading"]
            if h not in seen and h != b["title"]:
                answer = " ".join(found[:2]) if " ".join(found[:2]) in b["text"] and len(" ".join(found[:2])) < 220 else found[0]
                q = rng.choice([f"How do I use {h} in {name}?", f'What does the section "{h}" of {name} say?',
                                f"What is {h} in {name}?", f"What should I know about {h} when using {name}?"])
                made.append({"q": q, "answer": answer, "gold": i})
            seen.add(h)
            s = rng.choice(found)
            words = rarity.keywords(s, rng.randint(2, 3))
            if words:
                k = " and ".join(words) if len(words) < 3 else ", ".join(words[:2]) + " and " + words[2]
                made.append({"q": rng.choice([f"What does {name} say about {k}?", f"In {name}, how do {k} relate?",
                                              f"How does {name} handle {k}?"]), "answer": s, "gold": i})
        rng.shuffle(made)
        side = test if hashlib.sha1(name.encode()).digest()[1] % 10 < 3 else train
        side += made[:8]
    rng.shuffle(train)
    rng.shuffle(test)
    return bank, groups, train[:args.train_questions], test[:args.test_questions]


def order_of(train, bank, epoch, group):
    """Shuffles; with group the questions of one package come one after the other: their passages are hard negatives."""
    rng = random.Random(epoch)
    rng.shuffle(train)
    if group:
        place = {}
        for q in train:
            place.setdefault(bank[q["gold"]]["name"], rng.random())
        train.sort(key=lambda q: place[bank[q["gold"]]["name"]])


def run_encoder(args):
    bank, _, train, test = make_questions(args)
    tok, model = AutoTokenizer.from_pretrained(args.model), AutoModel.from_pretrained(args.model, dtype=torch.float32, add_pooling_layer=False)
    texts = ["passage: " + f"{b['title']}\n{b['heading']}\n{b['text']}" for b in bank]

    def embed(rows, length):
        enc = tok(rows, truncation=True, max_length=length, padding=True, return_tensors="pt")
        hidden = model(input_ids=enc["input_ids"], attention_mask=enc["attention_mask"]).last_hidden_state
        m = enc["attention_mask"].unsqueeze(-1).float()
        return F.normalize((hidden * m).sum(1) / m.sum(1), dim=-1)

    @torch.no_grad()
    def recall(questions):
        model.eval()
        store = torch.cat([embed(texts[i:i + 64], 128) for i in range(0, len(texts), 64)])
        ask = torch.cat([embed(["query: " + q["q"] for q in questions[i:i + 64]], 48) for i in range(0, len(questions), 64)])
        order = (ask @ store.T).argsort(-1, descending=True)
        hits = [[q["gold"] in order[i, :k].tolist() for i, q in enumerate(questions)] for k in (1, 4)]
        return " ".join(f"recall@{k} {sum(h) / len(h):.3f}" for k, h in zip((1, 4), hits))

    print(f"{len(bank)} passages, {len(train)} training and {len(test)} test questions")
    print("before: test", recall(test), flush=True)
    opt = torch.optim.AdamW(model.parameters(), lr=args.lr or 5e-4, weight_decay=0.01)
    steps, step, start = args.epochs * math.ceil(len(train) / args.batch), 0, time.time()
    for epoch in range(args.epochs):
        model.train()
        order_of(train, bank, epoch, args.group)
        for i in range(0, len(train), args.batch):
            rows = train[i:i + args.batch]
            for g in opt.param_groups:
                g["lr"] = (args.lr or 5e-4) * min(1, (step + 1) / (0.1 * steps)) * (1 - step / steps)
            ask, store = embed(["query: " + r["q"] for r in rows], 48), embed([texts[r["gold"]] for r in rows], 128)
            scores = ask @ store.T / 0.05
            same = torch.tensor([[a["gold"] == b["gold"] and a is not b for b in rows] for a in rows])
            scores = scores.masked_fill(same, -1e4)
            loss = F.cross_entropy(scores, torch.arange(len(rows)))
            opt.zero_grad()
            loss.backward()
            opt.step()
            step += 1
        print(f"epoch {epoch + 1} {time.time() - start:.0f}s loss {loss.item():.3f}", flush=True)
    print("after: test", recall(test))


def prompt_of(question, bank, groups, rng):
    """Two to four passages, the gold one among them: the others from the same package, or from anywhere."""
    gold = question["gold"]
    near = [i for i in groups[bank[gold]["name"]] if i != gold]
    rng.shuffle(near)
    others = near[:2] + [rng.randrange(len(bank))]
    chosen = [gold] + others[: rng.randint(1, 3)]
    rng.shuffle(chosen)
    blocks = "".join(f"Source: {bank[i]['source']}\nTitle: {bank[i]['title']}\nContent:\n{bank[i]['text']}\n" for i in chosen)
    return f"{SYSTEM}\n\n{blocks}\nUSER: {question['q']} ASSISTANT:"


def run_decoder(args):
    from rouge_score.rouge_scorer import RougeScorer
    bank, groups, train, test = make_questions(args)
    tok = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    scorer, rng = RougeScorer(["rougeL"]), random.Random(args.seed)

    def ids_of(text):
        return tok(text, add_special_tokens=False)["input_ids"]

    for q in train + test:
        q["prompt"] = ids_of("<s>" + prompt_of(q, bank, groups, rng))[-960:]
        q["target"] = ids_of(" " + q["answer"]) + [tok.eos_token_id]

    @torch.no_grad()
    def rouge(questions, show=0):
        model.eval()
        total = exact = 0
        for n, q in enumerate(questions):
            out = model.generate(torch.tensor([q["prompt"]]), attention_mask=torch.ones(1, len(q["prompt"]), dtype=torch.long),
                                 max_new_tokens=64, do_sample=False)
            answer = tok.decode(out[0][len(q["prompt"]):], skip_special_tokens=True).strip()
            total += scorer.score(q["answer"], answer)["rougeL"].fmeasure
            exact += answer == q["answer"]
            if n < show:
                print("  Q:", q["q"], "\n  gold:", q["answer"], "\n  said:", answer.replace("\n", "\\n"))
        return f"ROUGE-L {total / len(questions):.3f}, exact {exact / len(questions):.3f}"

    print(f"{len(train)} training and {len(test)} test questions, prompt tokens: mean "
          f"{sum(len(q['prompt']) for q in test) / len(test):.0f}, max {max(len(q['prompt']) for q in test)}")
    print("before: test", rouge(test, args.show), flush=True)
    lr = args.lr or 1e-3
    opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01, betas=(0.9, 0.98))
    steps, step, start = args.epochs * math.ceil(len(train) / args.batch), 0, time.time()
    for epoch in range(args.epochs):
        model.train()
        random.Random(epoch).shuffle(train)
        total = 0
        for i in range(0, len(train), args.batch):
            rows = train[i:i + args.batch]
            width = max(len(r["prompt"]) + len(r["target"]) for r in rows)
            ids, labels, mask = (torch.full((len(rows), width), v) for v in (tok.pad_token_id, -100, 0))
            for j, r in enumerate(rows):
                full = r["prompt"] + r["target"]
                ids[j, :len(full)] = torch.tensor(full)
                labels[j, len(r["prompt"]):len(full)] = torch.tensor(r["target"])
                mask[j, :len(full)] = 1
            for g in opt.param_groups:
                g["lr"] = lr * min(1, (step + 1) / (0.1 * steps)) * (1 - step / steps)
            with torch.autocast("cpu", torch.bfloat16):
                hidden = model.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
                keep = labels[:, 1:] != -100
                loss = F.cross_entropy(model.lm_head(hidden[keep]).float(), labels[:, 1:][keep])
            opt.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            step += 1
            total += loss.item() * len(rows)
        print(f"epoch {epoch + 1} {time.time() - start:.0f}s training loss {total / len(train):.3f}", flush=True)
    print("after: test", rouge(test, args.show), flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("which", choices=["encoder", "decoder"])
    ap.add_argument("--corpus", required=True)
    ap.add_argument("--model", required=True)
    ap.add_argument("--lr", type=float)
    ap.add_argument("--batch", type=int, help="default: 32 encoder, 8 decoder")
    ap.add_argument("--epochs", type=int, help="default: 8 encoder, 4 decoder")
    ap.add_argument("--train-questions", type=int, default=400)
    ap.add_argument("--test-questions", type=int, default=100)
    ap.add_argument("--group", action="store_true", help="encoder: batches of questions on the same packages")
    ap.add_argument("--show", type=int, default=4, help="answers to print")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--seed", type=int, default=5)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.batch = args.batch or (32 if args.which == "encoder" else 8)
    args.epochs = args.epochs or (8 if args.which == "encoder" else 4)
    (run_encoder if args.which == "encoder" else run_decoder)(args)


if __name__ == "__main__":
    main()
