"""Makes folders as sentence-transformers saves them, with its vectors, scores and gradients: the references of sentence-transformers.test.ts.

    python packages/models/scripts/make-sentence-transformers-fixtures.py        (needs sentence-transformers, torch)

Writes src/fixtures/st-<name>: an encoder with Dense modules and prompts, and rerankers. Tokenizers are those of src/tokenizer/fixtures.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.cross_encoder.modules.logit_score import LogitScore
from sentence_transformers.models import Dense, Normalize, Pooling, Transformer
from transformers import (AutoTokenizer, BertConfig, BertForSequenceClassification, DistilBertConfig, DistilBertForSequenceClassification,
                          DistilBertModel, GteConfig, GteForSequenceClassification, ModernBertConfig,
                          ModernBertForSequenceClassification, MPNetConfig, MPNetForSequenceClassification, Qwen3Config,
                          Qwen3ForCausalLM, Qwen3ForSequenceClassification, XLMRobertaConfig, XLMRobertaForSequenceClassification)

SRC = Path(__file__).parent.parent / "src"
FIXTURES = SRC / "fixtures"
QUESTIONS = ["How do I set a timeout?", "What is the default colour of a button?", "café"]
PASSAGES = [
    "The timeout option takes milliseconds. " * 4,
    "Buttons are blue.",
    "A long passage that says nothing of use, again and again. " * 6,
]


def perturbed(model):
    torch.manual_seed(9)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


def base(folder, model, tokenizer, max_length):
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    tokenizers = SRC / "tokenizer" / "fixtures" / tokenizer
    config = json.loads((tokenizers / "tokenizer_config.json").read_text())
    names = {key: value["content"] if isinstance(value, dict) else value for key, value in config.items() if key.endswith("_token")}
    names.setdefault("pad_token", names.get("eos_token"))
    AutoTokenizer.from_pretrained(tokenizers, model_max_length=max_length, **names).save_pretrained(folder)


def encoder():
    folder = FIXTURES / "st-dense"
    torch.manual_seed(0)
    body = perturbed(DistilBertModel(DistilBertConfig(vocab_size=280, dim=12, n_layers=1, n_heads=2, hidden_dim=16, max_position_embeddings=40)))
    base(folder, body, "word-piece", 40)
    transformer = Transformer(str(folder), max_seq_length=24)
    modules = [transformer, Pooling(12, "mean"), Dense(12, 20, bias=False, activation_function=torch.nn.Identity()), Dense(20, 6), Normalize()]
    model = SentenceTransformer(
        modules=modules, device="cpu", prompts={"query": "task: search | query: ", "document": "title: none | text: "}, similarity_fn_name="cosine",
    )
    perturbed(model)
    shutil.rmtree(folder)
    model.save(str(folder), create_model_card=False)
    reference = {
        "questions": torch.tensor(model.encode_query(QUESTIONS)),
        "passages": torch.tensor(model.encode_document(PASSAGES)),
    }
    save_file({key: value.contiguous() for key, value in reference.items()}, folder / "reference.safetensors")
    print("st-dense")


def reranker(name, model, tokenizer, max_length=40, padding=None):
    folder = FIXTURES / f"st-{name}"
    perturbed(model)
    base(folder, model, tokenizer, max_length)
    loaded = CrossEncoder(str(folder), device="cpu")
    pairs = [[q, p] for q in QUESTIONS for p in PASSAGES]
    scores = torch.tensor(loaded.predict(pairs, batch_size=4))
    shutil.rmtree(folder)
    loaded.save_pretrained(str(folder))
    inner = loaded.model.eval()
    batch = loaded.tokenizer([q for q, _ in pairs], [p for _, p in pairs], padding=True, truncation=True, return_tensors="pt")
    logits = inner(**batch).logits
    weights = torch.arange(logits.numel()).sin().view(logits.shape)
    inner.zero_grad()
    (logits * weights).sum().backward()
    reference = {"scores": scores, "logits": logits, "logit_gradients": weights, "ids": batch["input_ids"].float()}
    reference |= {f"gradient.{key}": p.grad for key, p in inner.named_parameters() if p.grad is not None}
    save_file({key: value.detach().contiguous() for key, value in reference.items()}, folder / "reference.safetensors")
    for path in folder.iterdir():
        if path.name == "README.md":
            path.unlink()
    print(folder.name, scores[:3])


TEMPLATE = """{%- set question = messages | selectattr("role", "eq", "query") | map(attribute="content") | first -%}
{%- set passage = messages | selectattr("role", "eq", "document") | map(attribute="content") | first -%}
<|im_start|>{{ question }}
: {{ passage }}<|im_end|>
<|im_start|>a
"""


def answering(name, false_token_id, tied):
    """A decoder whose logits of two tokens (or one) are the score."""
    folder = FIXTURES / f"st-{name}"
    model = perturbed(Qwen3ForCausalLM(Qwen3Config(
        vocab_size=420, pad_token_id=2, hidden_size=12, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=6,
        intermediate_size=16, max_position_embeddings=80, tie_word_embeddings=tied)))
    base(folder, model, "byte-bpe-split", 60)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    modules = [Transformer(str(folder), transformer_task="text-generation", max_seq_length=60), LogitScore(40, false_token_id)]
    loaded = CrossEncoder(modules=modules, device="cpu")
    pairs = [[q, p] for q in QUESTIONS for p in PASSAGES]
    shutil.rmtree(folder)
    loaded.save_pretrained(str(folder))
    logits = torch.tensor(loaded.predict(pairs, batch_size=4, activation_fn=torch.nn.Identity()))
    save_file({"scores": torch.tensor(loaded.predict(pairs, batch_size=4)), "logits": logits}, folder / "reference.safetensors")
    (folder / "README.md").unlink(missing_ok=True)
    print(folder.name, logits[:3])


TINY = dict(hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_position_embeddings=44, num_labels=1,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
encoder()
torch.manual_seed(1)
reranker("bert", BertForSequenceClassification(BertConfig(vocab_size=280, **TINY)), "word-piece")
reranker("xlm-roberta", XLMRobertaForSequenceClassification(XLMRobertaConfig(vocab_size=153, type_vocab_size=1, pad_token_id=1, **TINY)), "unigram")
for pooling in ("cls", "mean"):
    reranker(f"modernbert-{pooling}", ModernBertForSequenceClassification(ModernBertConfig(
        vocab_size=280, pad_token_id=0, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3, local_attention=8,
        num_hidden_layers=2, hidden_size=12, num_attention_heads=2, intermediate_size=16, max_position_embeddings=44, num_labels=1,
        classifier_pooling=pooling)), "word-piece")
reranker("distilbert", DistilBertForSequenceClassification(DistilBertConfig(
    vocab_size=280, dim=12, n_layers=1, n_heads=2, hidden_dim=16, max_position_embeddings=40, num_labels=1, dropout=0.0,
    attention_dropout=0.0, seq_classif_dropout=0.0)), "word-piece")
reranker("mpnet", MPNetForSequenceClassification(MPNetConfig(vocab_size=421, pad_token_id=1, **TINY)), "byte-bpe-roberta")
reranker("gte", GteForSequenceClassification(GteConfig(vocab_size=280, pad_token_id=0, type_vocab_size=2, **{**TINY, "max_position_embeddings": 40})), "word-piece")
reranker("qwen3", Qwen3ForSequenceClassification(Qwen3Config(
    vocab_size=420, pad_token_id=2, hidden_size=12, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=6,
    intermediate_size=16, max_position_embeddings=80, num_labels=1)), "byte-bpe-split", 80)
torch.manual_seed(2)
answering("qwen3-yes-no", 41, tied=True)
answering("qwen3-yes", None, tied=False)
