"""Trains a tiny tokenizer of each kind and stores the ids that Python's `tokenizers` gives for tricky texts.

    python packages/models/scripts/make-tokenizer-fixtures.py     (needs: pip install tokenizers sentencepiece protobuf)

Writes packages/models/src/tokenizer/fixtures/<kind>/{tokenizer.json,tokenizer_config.json,expected.json}. The tests of
load-tokenizer.ts compare against them, so that neither Python nor a downloaded model is needed to run the tests.
"""

import io
import json
import sys
import tempfile
import unicodedata
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

ROOT = Path(__file__).parent.parent / "src" / "tokenizer" / "fixtures"

TRAINING = [
    "The quick brown fox jumps over the lazy dog while the other dogs are sleeping in the garden.",
    "To install the package run the installer, then restart the server and check that the service is running.",
    "def install(package): return [name for name in package if name != 'server' and len(name) >= 10]",
    "Café, naïve, élève, Ångström: accents are letters too. 東京 中文 漢字 한국어 σοφος",
    "Retrieval of passages: a question is embedded, the nearest passages are read, an answer is written. 12345 2024",
] * 4

TEXTS = [
    "",
    " ",
    "\n",
    "Hello, world!",
    "  leading and  double   spaces\tand a tab\n\nnew lines\r\nCRLF  ",
    "Café naïve coöperate Ångström Éclair",
    "I'm can't WON'T they'LL it's don’t",
    "東京タワー 漢字とかな 한국어 中文测试。",
    "😀👩‍👩‍👧‍👦🏳️‍🌈 emoji 👍🏽!",
    "def f(x):\n    return x**2  # comment\n\tif a<=b and c!=d: {'k': [1,2,3]}",
    "12345 3.14 1,000,000 0x1F ½ ² ٣ Ⅷ",
    "zero\u200bwidth\u00a0no-break\ufeffmark\u3000ideographic\u0085next",
    "e\u0301 combining a\u0308\u0323 İstanbul ẞ ß ﬁ ﬃ",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "x<|im_end|> y <|im_end|>z<|im_end|><|im_end|>",
    "[CLS] text [SEP] a[MASK]b [PAD] [cls]",
    "a" * 130 + " b",
    "control\u0000\u0001\u0007chars",
    "עברית العربية हिन्दी ไทย",
    "“quotes” — dash … ellipsis • bullet",
    "snake_case camelCase kebab-case https://a.b/c?d=e&f=%20g",
    "a\U00020000b rare \U0001F600",
    "line\u2028separator\u2029paragraph\u000bvertical\u000cfeed",
    "price €5 £6 $7 ¥8 ₹9 §¶©®™",
    "ΑΣΣ Σ ς ΟΔΟΣ ΣΟΦΟΣ.",
    "''' \"\"\" ``` \\n \\\\",
    "   \n  \n   x  ",
    "word.word,word;word:word!?",
    "\ue000 private \u0300\u0301 marks",
    "constructor __proto__ toString hasOwnProperty",
    "Install the package: THE SERVER restarts in 10 seconds.",
]

# Further ones, of kinds that came later: what a character map makes of a cluster of characters, special tokens that only it brings about, and
# characters that are white space to one language only.
FURTHER_TEXTS = [
    "ﬁ\u0301 ﬃ\u0301 x\ufe0f \u0301e ẛ\u0323",
    "ｆｕｌｌｗｉｄｔｈ ＜s＞ ～ ① ™ ㎏ ㍿ ｶﾞ",
    "the <mask> and<mask>, a  <mask> b<s></s><pad>",
    "e\u0301lève E\u0301 A\u030angström",
    "▁the ▁▁ quick",
    "xyz東京xyz 漢漢漢 xyz",
    "next \u0085line \ufeffmark\u0085 \ufeff!",
]

CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_level(pre_tokenizer, post_processor=None, ignore_merges=False, normalizer=None):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=420, special_tokens=CHATML, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    if post_processor:
        tokenizer.post_processor = post_processor
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(TRAINING, trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=special, show_progress=False,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()[]")))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    # As sentence-transformers saves it; must not apply on loading.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=16)
    return tokenizer, dict(tokenizer_class="BertTokenizer", model_max_length=512, pad_token="[PAD]", unk_token="[UNK]",
                           cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def smollm():
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                      pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return byte_level(digits), dict(tokenizer_class="GPT2Tokenizer", model_max_length=2048, bos_token="<|im_start|>",
                                    eos_token="<|im_end|>", pad_token="<|im_end|>")


def llama3():
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
               r"\s*[\r\n]+|\s+(?!\S)|\s+")
    split = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    begin = processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])
    return byte_level(split, begin, ignore_merges=True), dict(
        tokenizer_class="PreTrainedTokenizerFast", model_max_length=1e30, bos_token={"content": "<|endoftext|>"},
        eos_token={"content": "<|im_end|>"})


def llama2():
    """Sentencepiece-like: spaces as ▁, bytes for what the vocabulary lacks (Llama 2, Mistral, TinyLlama)."""
    special = ["<unk>", "<s>", "</s>"]
    alphabet = sorted(set("".join(TRAINING)) - {" "})[:90]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", behavior="merged_with_next")
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=256 + 3 + 200, special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)],
        initial_alphabet=alphabet, limit_alphabet=90, show_progress=False))
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] in special]
    data["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer, dict(tokenizer_class="LlamaTokenizer", model_max_length=4096, bos_token="<s>", eos_token="</s>",
                           unk_token="<unk>")


def qwen2():
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
               r"\s*[\r\n]+|\s+(?!\S)|\s+")
    split = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)])
    tokenizer = byte_level(split, processors.ByteLevel(trim_offsets=False), normalizer=normalizers.NFC())
    return tokenizer, dict(tokenizer_class="Qwen2Tokenizer", model_max_length=32768, eos_token="<|im_end|>",
                           pad_token="<|endoftext|>")


def roberta():
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=420, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer, dict(tokenizer_class="RobertaTokenizer", model_max_length=512, bos_token="<s>", eos_token="</s>",
                           pad_token="<pad>", mask_token="<mask>")


def character_rules():
    """The part of SentencePiece's nmt_nfkc rules that the texts meet, so that the compiled map is small: `source TAB target`, in hex."""
    rules = {chr(code): "" for code in [*range(1, 9), 0xB, *range(0xE, 0x20), 0x7F, 0x8F, 0x9F]}
    spaces = [9, 0xA, 0xC, 0xD, 0xA0, *range(0x2000, 0x2010), 0x2028, 0x2029, 0x3000, 0xFEFF, 0xFFFD]
    rules |= {chr(code): " " for code in spaces}
    letters = {character for text in TEXTS + FURTHER_TEXTS for character in text} - set(rules)
    for character in letters:
        for source in (character, unicodedata.normalize("NFD", character)):
            if unicodedata.normalize("NFKC", source) != source:
                rules[source] = unicodedata.normalize("NFKC", source)
    return "".join(f"{' '.join(f'{ord(c):X}' for c in source)}\t{' '.join(f'{ord(c):X}' for c in target)}\n"
                   for source, target in sorted(rules.items()))


def sentencepiece_unigram():
    """Pieces with scores, and the compiled character map, of a SentencePiece model as XLM-RoBERTa's was made."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write(character_rules())
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TRAINING), model_writer=model, vocab_size=300, model_type="unigram",
            normalization_rule_tsv=rules.name, hard_vocab_limit=False, minloglevel=2,
            required_chars="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'\"()[]<|>_-/éèö東京한")
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return [(piece.piece, piece.score) for piece in proto.pieces], proto.normalizer_spec.precompiled_charsmap


def xlm_roberta(pre_tokenizer, *further):
    """Ids as fairseq's: <s>, <pad>, </s>, <unk> first, then SentencePiece's pieces, <mask> last."""
    pieces, characters = sentencepiece_unigram()
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *pieces[3:], ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(characters), *further])
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([*(AddedToken(token, normalized=False) for token in ["<s>", "<pad>", "</s>", "<unk>"]),
                                  AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return tokenizer, dict(tokenizer_class="XLMRobertaTokenizer", model_max_length=512, bos_token="<s>",
                           eos_token="</s>", pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>",
                           mask_token="<mask>")


KINDS = {
    "word-piece": word_piece,
    "byte-bpe": smollm,
    "byte-bpe-split": llama3,
    "byte-bpe-nfc": qwen2,
    "byte-bpe-roberta": roberta,
    "metaspace-bpe": llama2,
    "unigram": lambda: xlm_roberta(
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])),
    # As transformers converts SentencePiece models since 4.40.
    "unigram-metaspace": lambda: xlm_roberta(
        pre_tokenizers.Metaspace(prepend_scheme="always"), normalizers.Replace(Regex(" {2,}"), " ")),
}
FURTHER_KINDS = {"byte-bpe-nfc", "byte-bpe-roberta", "unigram", "unigram-metaspace"}

for kind in sys.argv[1:] or KINDS:
    make = KINDS[kind]
    tokenizer, config = make()
    folder = ROOT / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(
        json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    rows = []
    for text in TEXTS + (FURTHER_TEXTS if kind in FURTHER_KINDS else []):
        ids = tokenizer.encode(text).ids
        rows.append(dict(text=text, ids=ids, plain=tokenizer.encode(text, add_special_tokens=False).ids,
                         decoded=tokenizer.decode(ids, skip_special_tokens=True)))
    (folder / "expected.json").write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
    print(kind, tokenizer.get_vocab_size(), sum(len(row["ids"]) for row in rows))
