"""Pretrains the tiny Llama from scratch: documentation text, mixed with made documents that teach copying from context.

    python pretrain_decoder.py --corpus corpus.jsonl --out ../tiny-decoder --minutes 22

Half of the sequences are plain text. The others are
  repeat   spans of text in a row, then pieces of them again (teaches induction: find the same words, go on as there)
  lookup   two to four 'Source/Title/Content' blocks, then lines that point into them in many ways ('Excerpt on
           <heading>:', 'Quote:', '<words> ->') and go on with a sentence copied from there; the copy weighs more in the loss
The sequences grow from 256 over 512 to 1024 tokens. None of the made lines has the form of the quickstart's
fine-tuning examples ('USER: ... ASSISTANT: ...'). Needs the tokenizer that train_tokenizers.py wrote to --out.
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from common import Rarity, load_corpus, passages, sentences

PAD, BOS, EOS = 0, 1, 2
HEADING_LINES = ["Excerpt on {h}:", "On {h}:", "{h}:", "{t}, {h}:", "Under the heading {h}:", "About {h} ({t}):", "Section {h} begins:",
                 "Looking up {h} in {t}:", "What {t} says on {h}:", "{t} > {h} >", "See {h}:", "Topic: {h}. Text:"]
KEYWORD_LINES = ["{k}:", "Find {k}:", "In short, on {k}:", "Sentence with {k}:", "Search: {k} ->", "Where is {k} mentioned?",
                 "What about {k}?", "{t}: {k}?", "Looking for {k} in {t}:", "How is {k} described in {t}?", "Note on {k}:",
                 "Which sentence speaks of {k}?", "Why {k}?", "When is {k} so?"]
QUOTE_LINES = ["Quote:", "As said above:", "Again:", "To repeat:", "\"", "Recall:"]
SOURCE_LINES = ["From {s}:", "Title: {t}\nBegins:", "{t} starts with:", "First line of {s}:"]
AFTER_LINES = ["After \"{p}\" comes:", "{p} ... then:", "Next after {p}:"]


class Maker:
    """Makes training sequences as (ids, weights) arrays of one length."""

    def __init__(self, docs, tok, seed):
        self.rng, self.tok = random.Random(seed), tok
        self.bank = []
        for d in docs:
            found = [(h, p) for h, p in passages(d, 400)]
            self.rng.shuffle(found)
            for h, p in found[: 40 if d["family"] == "npm" else 14]:
                self.bank.append((d["family"], d["source"], d["title"], h, p, sentences(p)))
        self.with_sentences = [i for i, b in enumerate(self.bank) if b[5]]
        self.by_family = {}
        for i in self.with_sentences:
            self.by_family.setdefault(self.bank[i][0], []).append(i)
        self.rarity = Rarity(b[4] for b in self.bank)

    def enc(self, text):
        return self.tok.encode(text, add_special_tokens=False).ids

    def repeat(self, stream, length):
        rng, ids, spans = self.rng, [BOS], []
        while len(ids) < length * 0.5:
            n = rng.randint(6, 40)
            at = rng.randrange(len(stream) - n)
            span = stream[at:at + n].tolist()
            if rng.random() < 0.15:
                rng.shuffle(span)
            spans.append(span)
            ids += span
        weights = [0.3] * len(ids)
        while len(ids) < length:
            span = rng.choice(spans)
            span = span[rng.randrange(max(1, len(span) // 2)):]
            ids += span
            weights += [0.0] + [1.0] * (len(span) - 1)
        return ids[:length], weights[:length]

    def pick_group(self, count):
        """Passages of one family, now and then several of one document, as a retriever would return them."""
        rng = self.rng
        family = rng.choice(list(self.by_family)) if rng.random() < 0.7 else "npm"
        pool = self.by_family.get(family) or self.with_sentences
        if rng.random() < 0.4:
            at = rng.randrange(len(pool))
            near = pool[max(0, at - 6): at + 6]
            chosen = rng.sample(near, min(count, len(near)))
        else:
            chosen = [rng.choice(pool) for _ in range(count)]
        return [self.bank[i] for i in dict.fromkeys(chosen)]

    def line(self, item):
        """(lead, copy): a line that points into the passage, and the text copied from it."""
        rng, (_, source, title, heading, passage, found) = self.rng, item
        at = rng.randrange(len(found))
        sentence = found[at]
        kind = rng.random()
        names = {"h": heading, "t": title, "s": source}
        if rng.random() < 0.3:
            names = {k: v.lower() for k, v in names.items()}
        if kind < 0.27:
            lead, copy = rng.choice(HEADING_LINES), found[0]
        elif kind < 0.72:
            words = self.rarity.keywords(sentence, rng.randint(2, 5))
            if not words:
                return None
            if rng.random() < 0.3:
                rng.shuffle(words)
            k = rng.choice([" ", ", ", " and "]).join(words)
            if rng.random() < 0.35:  # a run of the sentence's words instead
                parts = sentence.rstrip(".:!?").split()
                n = rng.randint(3, 7)
                first = rng.randrange(max(1, len(parts) - n))
                k = " ".join(parts[first:first + n])
            names["k"] = k.lower() if rng.random() < 0.3 else k
            lead, copy = rng.choice(KEYWORD_LINES), sentence
        elif kind < 0.86:
            lead, copy = rng.choice(QUOTE_LINES), sentence
        elif kind < 0.93:
            lead, copy = rng.choice(SOURCE_LINES), found[0]
        else:
            if at + 1 >= len(found):
                return None
            names["p"] = " ".join(sentence.split()[-rng.randint(3, 6):])
            lead, copy = rng.choice(AFTER_LINES), found[at + 1]
        if rng.random() < 0.25:
            nxt = found.index(copy) + 1
            if nxt < len(found) and copy + " " + found[nxt] in passage:
                copy = copy + " " + found[nxt]
        return lead.format(**names), " " + copy

    def lookup(self, length):
        rng, ids, weights = self.rng, [], []
        while len(ids) < length:
            budget = length - len(ids)
            items = self.pick_group(1 if budget < 300 else 2 if budget < 450 else rng.randint(2, 4))
            lines = [BOS]
            style = rng.random()
            for _, source, title, heading, passage, _ in items:
                if style < 0.6:
                    block = f"Source: {source}\nTitle: {title}\nContent:\n"
                elif style < 0.8:
                    block = f"Title: {title}\n"
                else:
                    block = f"# {title}\n\n"
                if heading != title:
                    block += f"## {heading}\n\n"
                lines += self.enc(block + passage + "\n")
            ids += lines
            weights += [0.6] * len(lines)
            sep = rng.choice(["\n", "\n\n", "\n- "])
            for _ in range(rng.randint(2, 7)):
                made = self.line(rng.choice(items))
                if made is None:
                    continue
                lead, copy = self.enc(sep + made[0]), self.enc(made[1])
                ids += lead + copy
                weights += [0.15] * len(lead) + [4.0, 3.0] + [2.0] * (len(copy) - 2)
            ids.append(EOS)
            weights.append(0.5)
        return ids[:length], weights[:length]


def model_config(args, vocab):
    return LlamaConfig(
        vocab_size=vocab, hidden_size=args.hidden, intermediate_size=args.ffn, num_hidden_layers=args.layers,
        num_attention_heads=args.heads, num_key_value_heads=args.kv_heads, max_position_embeddings=1024,
        rms_norm_eps=1e-5, tie_word_embeddings=True, attention_bias=False, mlp_bias=False, hidden_act="silu",
        initializer_range=0.02, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD, use_cache=False,
        attn_implementation="sdpa")


def write_model(model, args):
    out = Path(args.out)
    state = {k: v.detach().to(torch.float16).contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(state, out / "model.safetensors", metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)
    c = model.config
    (out / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "head_dim": c.hidden_size // c.num_attention_heads,
        "hidden_act": "silu", "hidden_size": c.hidden_size, "initializer_range": 0.02,
        "intermediate_size": c.intermediate_size, "max_position_embeddings": 1024, "mlp_bias": False,
        "num_attention_heads": c.num_attention_heads, "num_hidden_layers": c.num_hidden_layers,
        "num_key_value_heads": c.num_key_value_heads, "pretraining_tp": 1, "rms_norm_eps": 1e-5, "rope_scaling": None,
        "rope_theta": 10000.0, "tie_word_embeddings": True, "torch_dtype": "float16", "use_cache": True,
        "vocab_size": c.vocab_size}, indent=2) + "\n")
    (out / "generation_config.json").write_text(json.dumps(
        {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "do_sample": False}, indent=2) + "\n")
    print(f"saved {out} {(out / 'model.safetensors').stat().st_size / 1e6:.2f} MB", flush=True)


@torch.no_grad()
def start_induction(model):
    """Starts two attention heads near the induction circuit, which a short pretraining might otherwise not find.

    One head of the first layer looks at the token before and writes a code of it; one head of the second layer looks for
    the place whose code is that of the present token (that is: the place after its earlier occurrence) and writes the
    token found there. Everything stays trainable; it is an initialisation and nothing else.
    """
    c = model.config
    hidden, hd = c.hidden_size, c.hidden_size // c.num_attention_heads
    emb = model.model.embed_tokens.weight
    emb.copy_(torch.randn_like(emb) * 0.03)
    emb[:, 0] = 0.15  # a constant component, which the queries and keys of the first head can use
    rms = emb.pow(2).mean(1).sqrt().mean().item()
    const = 0.15 / rms  # its size after the norm
    basis = torch.linalg.qr(torch.randn(hidden - 1, hidden - 1))[0]
    basis = torch.cat([torch.zeros(1, hidden - 1), basis])  # orthonormal columns, none of them touching component 0
    p, q = basis[:, :hd], basis[:, hd:2 * hd]
    half = hd // 2
    theta = 10000.0 ** (-torch.arange(half) / half)

    first, second = model.model.layers[0].self_attn, model.model.layers[1].self_attn
    # Head 0 of layer 0: the query is the constant key turned on by one position, so that distance 1 scores best.
    fast = (theta > 0.01).float()
    u = torch.cat([fast, torch.zeros(half)])
    size = (9.0 * hd ** 0.5 / fast.sum()).sqrt() / const
    turned = torch.cat([torch.cos(-theta) * fast, torch.sin(-theta) * fast])
    first.k_proj.weight[:hd] = 0
    first.q_proj.weight[:hd] = 0
    first.k_proj.weight[:hd, 0] = u * size * 2.3
    first.q_proj.weight[:hd, 0] = turned * size * 2.3
    first.v_proj.weight[:hd] = p.T
    first.o_proj.weight[:, :hd] = q * rms
    # Head 0 of layer 1: keys read the code, queries the present token, in the slowly turning pairs only.
    order = torch.argsort(theta)  # slow pairs first
    slow = order[: half // 2 + half // 8]
    dims = torch.cat([slow, slow + half])
    pick = torch.zeros(hd, hd)
    pick[dims, torch.randperm(hd)[: len(dims)]] = 1
    gain = (11.0 * hd ** 0.5 / len(dims)) ** 0.5
    second.k_proj.weight[:hd] = pick @ q.T * gain * 1.9
    second.q_proj.weight[:hd] = pick @ p.T * gain * 1.9
    second.v_proj.weight[:hd] = p.T
    second.o_proj.weight[:, :hd] = p * rms * 3


@torch.no_grad()
def orthogonalise(g):
    """Newton-Schulz iteration of the Muon optimizer (github.com/KellerJordan/Muon) on a batch of matrices."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = g.shape[1] <= g.shape[2]
    x = (g if wide else g.transpose(1, 2)).bfloat16().contiguous()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        s = torch.bmm(x, x.transpose(1, 2))
        x = torch.baddbmm(x, torch.baddbmm(s, s, s, beta=b, alpha=c), x, beta=a)
    return (x if wide else x.transpose(1, 2)).float()


class Muon:
    """Momentum with orthogonalised updates for the matrices of the blocks; AdamW does the rest."""

    def __init__(self, params, momentum=0.95, decay=0.01):
        self.groups, self.momentum, self.decay = {}, momentum, decay
        for p in params:
            self.groups.setdefault(tuple(p.shape), []).append(p)
        self.buffers = {shape: torch.zeros(len(ps), *shape) for shape, ps in self.groups.items()}

    @torch.no_grad()
    def step(self, lr):
        for shape, ps in self.groups.items():
            grad, buf = torch.stack([p.grad for p in ps]), self.buffers[shape]
            buf.lerp_(grad, 1 - self.momentum)
            for p, update in zip(ps, orthogonalise(grad.lerp(buf, self.momentum))):
                p.mul_(1 - lr * self.decay)
                p.add_(update, alpha=-lr * 0.2 * max(shape) ** 0.5)


class ChunkedLoss(torch.autograd.Function):
    """Weighted cross entropy of tied output embeddings, in chunks that fit the cache; the gradients come with the forward."""

    @staticmethod
    def forward(ctx, hidden, weight, targets, w):
        low, d_hidden, d_weight = weight.to(torch.bfloat16), torch.empty_like(hidden), torch.zeros_like(weight)
        losses, scale = torch.empty(len(targets)), w / w.sum().clamp(min=1)
        for i in range(0, len(targets), 256):
            h, t, k = hidden[i:i + 256], targets[i:i + 256], scale[i:i + 256, None]
            logp = torch.log_softmax((h @ low.T).float(), -1)
            losses[i:i + 256] = -logp.gather(1, t[:, None])[:, 0]
            grad = logp.exp_().mul_(k)
            grad.scatter_add_(1, t[:, None], -k)
            grad = grad.to(torch.bfloat16)
            d_hidden[i:i + 256] = grad @ low
            d_weight += grad.T @ h
        ctx.save_for_backward(d_hidden, d_weight)
        ctx.mark_non_differentiable(losses)
        return (losses * scale).sum(), losses

    @staticmethod
    def backward(ctx, grad, _):
        d_hidden, d_weight = ctx.saved_tensors
        return d_hidden * grad.to(d_hidden.dtype), d_weight * grad, None, None


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--corpus", required=True)
    ap.add_argument("--out", required=True, help="folder that already has the tokenizer")
    ap.add_argument("--resume", action="store_true", help="start from the weights in --out")
    ap.add_argument("--minutes", type=float, default=22)
    ap.add_argument("--hidden", type=int, default=256)
    ap.add_argument("--ffn", type=int, default=512)
    ap.add_argument("--layers", type=int, default=5)
    ap.add_argument("--heads", type=int, default=4)
    ap.add_argument("--kv-heads", type=int, default=2)
    ap.add_argument("--tokens", type=int, default=6144, help="tokens a step")
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--phases", default="256:0.35:0.3,512:0.35:0.1,1024:0.3:0.04",
                    help="length:share of the time:share of 'repeat' sequences, ...")
    ap.add_argument("--lookup", type=float, default=0.4, help="share of 'lookup' sequences")
    ap.add_argument("--threads", type=int, default=2,
                    help="0: one or two, whichever is faster just then (for a machine shared with others)")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    torch.set_num_threads(args.threads or 2)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    docs = load_corpus(args.corpus)
    tok = AutoTokenizer.from_pretrained(args.out).backend_tokenizer
    maker = Maker(docs, tok, args.seed)

    # Plain text: documents with their title, one after the other; npm READMEs twice, for they are nearest to the use.
    texts = []
    for d in docs:
        texts += [f"# {d['title']}\n\n{d['text']}" if not d["text"].startswith("#") else d["text"]] * (2 if d["family"] == "npm" else 1)
    rng.shuffle(texts)
    stream = np.concatenate([np.array([BOS] + e.ids + [EOS], dtype=np.int32)
                             for e in tok.encode_batch_fast(texts, add_special_tokens=False)])
    held, stream = stream[:32 * 512], stream[32 * 512:]
    print(f"{len(stream) / 1e6:.2f} M tokens of text, {len(maker.bank)} passages", flush=True)

    model = LlamaForCausalLM(model_config(args, tok.get_vocab_size()))
    if args.resume:
        model.load_state_dict(load_file(Path(args.out) / "model.safetensors"), strict=False)
        model.tie_weights()
    for name, p in model.named_parameters():
        if not args.resume and name.endswith(("o_proj.weight", "down_proj.weight")):
            p.data /= math.sqrt(2 * args.layers)
    if not args.resume:
        start_induction(model)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if not (p.dim() == 2 and "embed" not in n)]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.0)

    def loss_of(ids, weights):
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model.model(input_ids=ids).last_hidden_state
        w = weights[:, 1:].reshape(-1)
        loss, losses = ChunkedLoss.apply(hidden[:, :-1].reshape(-1, args.hidden).to(torch.bfloat16), model.lm_head.weight,
                                         ids[:, 1:].reshape(-1), w)
        return loss, losses, w

    phases, edge = [], 0.0
    for spec in args.phases.split(","):
        length, share, repeat = spec.split(":")
        edge += float(share)
        phases.append((edge, int(length), float(repeat)))
    cursor, step, seen, start, stats = 0, 0, 0, time.time(), {}
    clock = {1: 0.0, 2: 0.0}
    model.train()
    while (spent := (time.time() - start) / (args.minutes * 60)) < 1:
        _, length, repeat = next((p for p in phases if spent < p[0]), phases[-1])
        warm = min(1, (step + 1) / 60)
        scale = warm * (0.03 + 0.97 * min(1.0, 1.5 * 0.5 * (1 + math.cos(math.pi * spent))))
        began = time.time()
        if not args.threads:  # 3 steps with one thread, 3 with two, then 30 with the faster; and again
            turn = step % 36
            torch.set_num_threads(1 if turn < 3 else 2 if turn < 6 else min(clock, key=clock.get))
        rows = []
        for _ in range(args.tokens // length):
            dice = rng.random()
            if dice < repeat:
                rows.append(("repeat", *maker.repeat(stream, length)))
            elif dice < repeat + args.lookup:
                rows.append(("lookup", *maker.lookup(length)))
            else:
                if cursor + length > len(stream):
                    cursor = 0
                rows.append(("text", stream[cursor:cursor + length].tolist(), [1.0] * length))
                cursor += length
        ids = torch.tensor([r[1] for r in rows])
        loss, losses, w = loss_of(ids, torch.tensor([r[2] for r in rows]))
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        muon.step(args.lr * scale)
        for group in adam.param_groups:
            group["lr"] = args.lr * scale
        adam.step()
        clock[torch.get_num_threads()] = time.time() - began
        step, seen = step + 1, seen + ids.numel()
        with torch.no_grad():  # losses by kind; for lookups those of the copied text, its first token apart
            per, per_w = losses.view(len(rows), -1), w.view(len(rows), -1)
            for i, r in enumerate(rows):
                if r[0] == "lookup":
                    stats.setdefault("first", []).append(per[i][per_w[i] == 4.0])
                    stats.setdefault("copy", []).append(per[i][(per_w[i] == 2.0)])
                elif r[0] == "repeat":
                    stats.setdefault("repeat", []).append(per[i][per_w[i] == 1.0])
                else:
                    stats.setdefault("text", []).append(per[i])
        if step % 50 == 0:
            shown = " ".join(f"{k} {torch.cat(v).mean().item():.3f}" for k, v in sorted(stats.items()))
            print(f"step {step} {time.time() - start:.0f}s {seen / 1e6:.2f}Mtok len {length} {torch.get_num_threads()} threads lr {args.lr * scale:.1e} {shown}", flush=True)
            stats = {}
        if step % 200 == 0:
            write_model(model, args)
    write_model(model, args)
    model.eval()
    with torch.no_grad():
        ids = torch.tensor(held.reshape(32, 512)).long()
        print(f"held-out text loss {loss_of(ids, torch.ones(ids.shape))[0].item():.3f}, {step} steps, {seen / 1e6:.2f} M tokens", flush=True)


if __name__ == "__main__":
    main()
