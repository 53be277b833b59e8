"""Shared by the scripts: reading the corpus, cutting it into sections, passages and sentences."""
import hashlib
import json
import math
import re
from collections import Counter

HELD_OUT_SHARE = 4  # one npm README in four is kept out of all training, for simulate.py

STOP = set("""a an the of to in on for and or is are was be been by with as at from that this it its if not can you your we
will may should when which how what do does did has have had but so than then there these those into only also any all
no use used using one two more other such their they he she i my our us would could must each set get via per""".split())


def load_corpus(path, held_out=False):
    """The training documents, or with held_out the npm READMEs kept for the simulation."""
    rows = []
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        digest = hashlib.sha1(("keep" + row["source"]).encode()).digest()
        kept = row["family"] == "npm" and digest[0] % HELD_OUT_SHARE == 0
        if kept == held_out:
            rows.append(row)
    return rows


def sections(doc):
    """[(heading, body)] of a Markdown text; headings inside code fences do not count."""
    found, heading, body, fenced = [], doc["title"], [], False
    for line in doc["text"].split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        m = None if fenced else re.match(r"#{1,6} +(.+?)[ #]*$", line)
        if m:
            if "".join(body).strip():
                found.append((heading, "\n".join(body).strip()))
            heading, body = clean_heading(m.group(1)), []
        else:
            body.append(line)
    if "".join(body).strip():
        found.append((heading, "\n".join(body).strip()))
    return found


def clean_heading(text):
    text = re.sub(r"^[\d.]+\s+", "", text.replace("`", "").replace("*", "")).strip()
    return re.sub(r"\s+", " ", text)[:80]


def passages(doc, limit=420):
    """[(heading, passage)]: whole sections where short, else runs of paragraphs of at most about `limit` characters."""
    out = []
    for heading, body in sections(doc):
        run = ""
        for block in re.split(r"\n\n+", body):
            while len(block) > limit:
                cut = max(block.rfind("\n", 0, limit), block.rfind(". ", 0, limit) + 1)
                cut = cut if cut > limit // 3 else limit
                if run:
                    out.append((heading, run))
                    run = ""
                out.append((heading, block[:cut].strip()))
                block = block[cut:].strip()
            if run and len(run) + len(block) > limit:
                out.append((heading, run))
                run = ""
            run = (run + "\n\n" + block).strip()
        if run:
            out.append((heading, run))
    return [(h, p) for h, p in out if len(p) > 60]


def sentences(passage):
    """Prose sentences of a passage, verbatim (code fences, tables and list stubs left out)."""
    found = []
    for part in re.sub(r"```.*?(```|$)", "\n", passage, flags=re.S).split("\n"):
        part = re.sub(r"^(- |\d+\. |> )", "", part.strip())
        if part.startswith(("|", "#", "$", "//")):
            continue
        for s in re.split(r"(?<=[.!?])\s+(?=[A-Z`\"(])", part):
            s = s.strip()
            if 25 <= len(s) <= 260 and s[-1] in ".!?:" and s.count(" ") >= 4 and (s[0].isupper() or s[0] == "`"):
                found.append(s)
    return found


def words(text):
    return re.findall(r"[A-Za-z][A-Za-z0-9_]+", text.lower())


class Rarity:
    """Inverse document frequency over passages, to pick the telling words of a sentence."""

    def __init__(self, texts):
        self.n, self.df = 0, Counter()
        for t in texts:
            self.n += 1
            self.df.update(set(words(t)))

    def __call__(self, word):
        return 0.0 if word in STOP or len(word) < 3 else math.log((1 + self.n) / (1 + self.df[word]))

    def keywords(self, sentence, k):
        """The k most telling words of a sentence, as written there and in its order."""
        seen, scored = set(), []
        for m in re.finditer(r"[A-Za-z][A-Za-z0-9_]+", sentence):
            w = m.group().lower()
            if w not in seen and self(w) > 0:
                seen.add(w)
                scored.append((-self(w), m.start(), m.group()))
        return [w for _, _, w in sorted(sorted(scored)[:k], key=lambda x: x[1])]
