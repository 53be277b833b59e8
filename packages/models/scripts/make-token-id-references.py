"""Stores what Python's `tokenizers` makes of 200 mixed texts, for a tokenizer of each family.

    python packages/models/scripts/make-token-id-references.py [FOLDER ...]     (needs: pip install tokenizers)

Writes packages/models/src/tokenizer/fixtures/token-ids.json: the texts, and of each tokenizer and text the number of ids and the first 12 hex
digits of SHA-256 of the ids with commas between. Tokenizers are those of make-tokenizer-fixtures.py and of data/models, and further ones that are
made here. With folders of models, nothing is written; their ids are printed in the same form, to be compared once.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FIXTURES = Path(__file__).parent.parent / "src" / "tokenizer" / "fixtures"
MODELS = Path(__file__).parents[3] / "data" / "models"

PIECES = {
    "words": ["the installer restarts", " a question is embedded", "Passages", " of 12 documents", " it's", " WE'LL", "don’t", " re-read", " x", "."],
    "code": ["def f(x):\n    return x**2", "if (a <= b && c !== d) {\n\t\treturn [1, 2];\n}", "SELECT * FROM t WHERE id=42;", "`npm i -D @a/b`",
             "<div class=\"a\">&amp;</div>", "#include <stdio.h>\r\n", "0x1F + 3.14e-10", "snake_case camelCase", "//// ----- ====", "${HOME}/bin:$PATH"],
    "CJK": ["東京タワーは高い。", "中文测试，没有空格！", "한국어 문장입니다", "ｆｕｌｌ　ｗｉｄｔｈ", "が\u3099ぎ", "𠀀𠮷野家", "漢字かな交じり文"],
    "scripts": ["Привет, мир", "مرحبا بالعالم", "हिन्दी में", "ภาษาไทย", "Γειά σου ΣΟΦΟΣ", "עברית", "Ångström café", "e\u0301le\u0300ve", "İstanbul ß ﬁ"],
    "emoji": ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪🇯🇵", "❤️‍🔥", "✅ done", "1️⃣"],
    "control": ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>", "[CLS]", "[SEP]", "[MASK]", "<bos>",
                "<eos>", "<start_of_turn>user\n", "<end_of_turn>", "[INST]", "[/INST]", "<think>", "<|im_start|", "<0x0A>"],
    "space": [" ", "  ", "    ", "\n", "\n\n", "\n\n\n", "\t", "\t\t", "\r\n", "\u00a0", "\u3000", "\u2028", " \n "],
    "numbers": ["12345", " 2024-11-29", "1,000,000.5", "½ ² Ⅷ", "€5 £6", "99%"],
}


def texts(count=200):
    chosen = random.Random(19)
    kinds = list(PIECES)
    made = []
    while len(made) < count:
        parts = []
        for _ in range(chosen.randint(2, 7)):
            parts.append(chosen.choice(PIECES[chosen.choice(kinds)]))
            if chosen.random() < 0.4:
                parts.append(chosen.choice(PIECES["space"]))
        text = "".join(parts)
        if text not in made:
            made.append(text)
    return made


TRAINING = [piece for pieces in PIECES.values() for piece in pieces if not piece.startswith(("<", "["))] * 3


def bytes_of(special, vocabulary=420, **settings):
    return trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False,
                               initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **settings)


def tekken():
    """Mistral's newer ones."""
    pattern = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
               r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|"
               r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TRAINING, bytes_of(["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def modernbert():
    """ModernBERT's: GPT-NeoX's with runs of spaces as tokens of their own."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TRAINING, bytes_of(["<|endoftext|>", "[UNK]", "[CLS]", "[SEP]", "[PAD]"]))
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True)])
    tokenizer.add_tokens([AddedToken(" " * length, normalized=True) for length in (4, 3, 2)])
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def gemma():
    """Gemma's: SentencePiece's BPE without a space before texts; lines and HTML as tokens that are no control tokens."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=560, special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)], limit_alphabet=120, show_progress=False))
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in ("\n", "\n\n", "\n\n\n", "▁▁", "<div>", "</div>")])
    tokenizer.add_special_tokens(["<start_of_turn>", "<end_of_turn>"])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    return tokenizer


FURTHER = {"byte-bpe-tekken": tekken, "byte-bpe-spaces": modernbert, "metaspace-bpe-gemma": gemma}


def rows(tokenizer, all_texts):
    tokenizer.no_truncation()
    tokenizer.no_padding()
    for text in all_texts:
        ids = tokenizer.encode(text).ids
        yield f"{len(ids)} {hashlib.sha256(','.join(map(str, ids)).encode()).hexdigest()[:12]}"


all_texts = texts()
if sys.argv[1:]:
    print(json.dumps({folder: list(rows(Tokenizer.from_file(str(Path(folder) / "tokenizer.json")), all_texts)) for folder in sys.argv[1:]}))
    sys.exit()
for kind, make in FURTHER.items():
    (FIXTURES / kind).mkdir(exist_ok=True)
    (FIXTURES / kind / "tokenizer.json").write_text(
        json.dumps(json.loads(make().to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
folders = sorted(path.parent for path in FIXTURES.glob("*/tokenizer.json"))
found = {folder.name: list(rows(Tokenizer.from_file(str(folder / "tokenizer.json")), all_texts)) for folder in folders}
for name in ("tiny-encoder", "tiny-decoder"):
    found[name] = list(rows(Tokenizer.from_file(str(MODELS / name / "tokenizer.json")), all_texts))
(FIXTURES / "token-ids.json").write_text(json.dumps(dict(texts=all_texts, ids=found), indent=1) + "\n")
print(len(all_texts), list(found))
