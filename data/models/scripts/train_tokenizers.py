"""Trains the two tokenizers (lower-case WordPiece for the encoder, byte-level BPE for the decoder) on the corpus.

    python train_tokenizers.py --corpus corpus.jsonl --encoder ../tiny-encoder --decoder ../tiny-decoder
"""
import argparse
import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers


def texts(path, limit):
    """Text of the corpus; every document is cut so that no family of long pages dominates."""
    total = 0
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        text = row["title"] + "\n" + row["text"][:8000]
        total += len(text)
        yield text
        if total > limit:
            return


def write(tokenizer, folder, config):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    compact = json.loads(tokenizer.to_str())
    (folder / "tokenizer.json").write_text(json.dumps(compact, ensure_ascii=False, separators=(",", ":")), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def wordpiece(args):
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tok.normalizer = normalizers.BertNormalizer(lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tok.train_from_iterator(texts(args.corpus, args.chars), trainers.WordPieceTrainer(
        vocab_size=args.encoder_vocab, min_frequency=2, special_tokens=specials, limit_alphabet=160,
        continuing_subword_prefix="##", show_progress=False))
    tok.decoder = decoders.WordPiece(prefix="##")
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(t, tok.token_to_id(t)) for t in ("[CLS]", "[SEP]")])
    write(tok, args.encoder, {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512, "tokenize_chinese_chars": True,
        "strip_accents": None, "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]",
        "mask_token": "[MASK]", "clean_up_tokenization_spaces": True})
    print("encoder", tok.get_vocab_size(), tok.encode("query: How do I install express?").tokens)


def bpe(args):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tok.decoder = decoders.ByteLevel()
    specials = [AddedToken(t, special=True, normalized=False) for t in ("<pad>", "<s>", "</s>")]
    tok.train_from_iterator(texts(args.corpus, args.chars), trainers.BpeTrainer(
        vocab_size=args.decoder_vocab, min_frequency=2, special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    write(tok, args.decoder, {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 1024, "bos_token": "<s>", "eos_token": "</s>",
        "pad_token": "<pad>", "add_prefix_space": False, "clean_up_tokenization_spaces": False})
    sample = "Line one\n\n  const x = {a: 'b'};\t\u00e9 \U0001f600\n"
    assert tok.decode(tok.encode(sample).ids) == sample
    print("decoder", tok.get_vocab_size(), tok.encode("How do I install express in my app?").tokens)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--corpus", required=True)
    ap.add_argument("--encoder", required=True, help="folder to write the encoder's tokenizer to")
    ap.add_argument("--decoder", required=True, help="folder to write the decoder's tokenizer to")
    ap.add_argument("--encoder-vocab", type=int, default=6144)
    ap.add_argument("--decoder-vocab", type=int, default=5632)
    ap.add_argument("--chars", type=int, default=12_000_000)
    args = ap.parse_args()
    wordpiece(args)
    bpe(args)


if __name__ == "__main__":
    main()
