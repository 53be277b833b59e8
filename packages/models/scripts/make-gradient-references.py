"""Makes a tiny folder of each architecture with PyTorch's vectors, loss, logits and gradients, the references of engine.test.ts.

    python packages/models/scripts/make-gradient-references.py [name ...]        (needs torch, transformers, safetensors)

Writes src/fixtures/<name>/{config.json, model.safetensors, reference.safetensors} beside the tests that read them; all, or those named. tiny-bert
has dropout.safetensors too: vectors and gradients with masks that follow from an element's number.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (BertConfig, BertModel, DistilBertConfig, DistilBertForMaskedLM, EuroBertConfig, EuroBertModel, Gemma3ForCausalLM, Gemma3TextConfig, Gemma3TextModel, GraniteConfig, GraniteForCausalLM, GteConfig,
                          GteModel, JinaEmbeddingsV3Config, JinaEmbeddingsV3Model,
                          LlamaConfig, LlamaForCausalLM, MistralConfig,
                          MistralForCausalLM, ModernBertConfig, ModernBertForMaskedLM, ModernBertModel, MPNetConfig,
                          MPNetForMaskedLM, NomicBertConfig, NomicBertModel, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM, Qwen3Model, SmolLM3Config, SmolLM3ForCausalLM,
                          XLMRobertaConfig, XLMRobertaForMaskedLM)

FIXTURES = Path(__file__).parent.parent / "src" / "fixtures"


def save(model, name, reference):
    folder = FIXTURES / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    save_file({key: value.detach().contiguous() for key, value in reference.items()}, folder / "reference.safetensors")
    print(name, sum(p.numel() for p in model.parameters()), "parameters")


def perturbed(model):
    """Random biases and norm scales too: initial zeros and ones would hide mistakes."""
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def gradients(model):
    return {f"gradient.{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}


def pool(hidden, mask, pooling):
    """As sentence-transformers pools; padding is on the right."""
    lengths = mask.sum(1, keepdim=True)
    if pooling == "mean":
        return (hidden * mask[..., None]).sum(1) / lengths
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "lasttoken":
        return hidden[torch.arange(len(hidden)), lengths[:, 0] - 1]
    if pooling == "max":
        return hidden.masked_fill(mask[..., None] == 0, float("-inf")).max(1).values
    assert pooling == "weightedmean", pooling
    weights = mask * torch.arange(1, hidden.shape[1] + 1)
    return (hidden * weights[..., None]).sum(1) / weights.sum(1, keepdim=True)


def encoder(name, model, body, ids, poolings=("mean", "cls")):
    """`body` is the encoder within `model`, which is what is saved; ids are padded with its padding id."""
    mask = (ids != model.config.pad_token_id).long()
    hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state
    reference = {"hidden": hidden}
    weights = torch.randn(3, hidden.shape[-1])
    reference["vector_gradients"] = weights
    for pooling in poolings:
        body.zero_grad()
        hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state
        vectors = pool(hidden, mask, pooling)
        (vectors * weights).sum().backward()
        reference[f"{pooling}.vectors"] = vectors
        reference |= {f"{pooling}.{key}": value.clone() for key, value in gradients(body).items()}
    save(model, name, reference)


def with_dropout(name, model, ids):
    """As `encoder` with mean pooling, but each dropout, in the order of the calls, multiplies by 0 or 1.25."""
    sites = 0

    def dropout(x, *_, **__):
        nonlocal sites
        places = torch.arange(x.numel())
        keeps = (places * 7 + sites * 3) % 10 >= 2
        sites += 1
        return x * (keeps.float() / 0.8).view(x.shape)

    plain = torch.nn.functional.dropout
    torch.nn.functional.dropout = dropout
    model.set_attn_implementation("eager")
    mask = (ids != model.config.pad_token_id).long()
    model.zero_grad()
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    torch.nn.functional.dropout = plain
    assert sites == 1 + 3 * model.config.num_hidden_layers, sites
    vectors = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    weights = torch.arange(vectors.numel()).sin().view(vectors.shape)
    (vectors * weights).sum().backward()
    reference = {"vectors": vectors, "vector_gradients": weights, **gradients(model)}
    save_file({key: value.detach().contiguous() for key, value in reference.items()}, FIXTURES / name / "dropout.safetensors")


TINY_ENCODER = dict(
    vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.3,
)


def bert(name):
    torch.manual_seed(0)
    model = perturbed(BertModel(BertConfig(max_position_embeddings=16, **TINY_ENCODER), add_pooling_layer=False)).eval()
    ids = torch.tensor([[2, 5, 9, 31, 7, 3], [2, 17, 17, 3, 0, 0], [2, 39, 3, 0, 0, 0]])
    encoder(name, model, model, ids)
    with_dropout(name, model, ids)


def xlm_roberta(name):
    """With a head on it, so that weight names carry the prefix that most checkpoints of this kind have."""
    torch.manual_seed(2)
    config = XLMRobertaConfig(max_position_embeddings=18, type_vocab_size=1, layer_norm_eps=1e-5, **TINY_ENCODER)
    model = perturbed(XLMRobertaForMaskedLM(config)).eval()
    encoder(name, model, model.roberta, torch.tensor([[0, 5, 9, 31, 7, 2], [0, 17, 17, 2, 1, 1], [0, 39, 2, 1, 1, 1]]))


TINY_DECODER = dict(
    vocab_size=40, hidden_size=24, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2, intermediate_size=20,
    max_position_embeddings=64, initializer_range=0.3, rms_norm_eps=1e-5, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)
# Of encoders that pad with 0.
TEXTS = [[2, 5, 9, 31, 7, 3], [2, 17, 17, 3, 0, 0], [2, 39, 3, 0, 0, 0]]
# Longer than windows, to which scaled positions make a difference.
LONG_TEXTS = [[2, 5, 9, 31, 7, 12, 30, 22, 8, 4, 19, 3], [2, 17, 17, 14, 6, 33, 25, 3, 0, 0, 0, 0], [2, 39, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
# Padded with 1, and longer than the distance from which on positions are told apart.
FAR_TEXTS = [[0] + [4 + (i * 7) % 35 for i in range(138)] + [2], [0, 17, 17, 2] + [1] * 136, [0, 39, 2] + [1] * 137]
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16}


TINY_MODERNBERT = dict(
    vocab_size=40, hidden_size=16, num_hidden_layers=4, num_attention_heads=4, intermediate_size=12, max_position_embeddings=64,
    local_attention=4, pad_token_id=0, bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3, initializer_range=0.3,
)


def bare(name, make_config, make_model, ids=LONG_TEXTS, poolings=("mean",), body=None, **config):
    """An encoder that is a model of its own, or the `body` of one with a head."""
    torch.manual_seed(4)
    model = perturbed(make_model(make_config(**config, attn_implementation="eager"))).eval()
    encoder(name, model, getattr(model, body) if body else model, torch.tensor(ids), poolings)


def decoder(name, architecture=(LlamaConfig, LlamaForCausalLM), **extra):
    torch.manual_seed(1)
    make_config, make_model = architecture
    config = make_config(**{**TINY_DECODER, **extra})
    model = perturbed(make_model(config)).eval()
    prompts = [[1, 5, 9, 30, 7], [1, 17, 4]]
    answers = [[11, 12, 2], [38, 2]]
    width = max(len(p) + len(a) for p, a in zip(prompts, answers))
    ids = torch.zeros(2, width, dtype=torch.long)
    labels = torch.full((2, width), -100)
    for row, (prompt, answer) in enumerate(zip(prompts, answers)):
        ids[row, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    mask = (ids != 0).long()
    result = model(input_ids=ids, attention_mask=mask, labels=labels)
    result.loss.backward()
    greedy = model.generate(
        torch.tensor([prompts[0]]), attention_mask=torch.ones(1, len(prompts[0]), dtype=torch.long),
        do_sample=False, max_new_tokens=12, eos_token_id=None, pad_token_id=0,
    )
    prefill = model(input_ids=torch.tensor([prompts[0]])).logits
    save(model, name, {"loss": result.loss, "greedy": greedy.float(), "prefill": prefill, **gradients(model)})


MAKERS = {
    "tiny-bert": bert,
    "tiny-xlm-roberta": xlm_roberta,
    "tiny-llama": lambda name: decoder(name, tie_word_embeddings=True),
    "tiny-llama-untied": lambda name: decoder(
        name, tie_word_embeddings=False, attention_bias=True,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 4.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 16},
    ),
    # The examples fit the window, what is written after them does not.
    "tiny-mistral": lambda name: decoder(
        name, (MistralConfig, MistralForCausalLM), tie_word_embeddings=False, sliding_window=8, attn_implementation="eager",
    ),
    "tiny-qwen2": lambda name: decoder(
        name, (Qwen2Config, Qwen2ForCausalLM), tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
    ),
    # The second layer has a window shorter than the examples.
    "tiny-qwen3": lambda name: decoder(
        name, (Qwen3Config, Qwen3ForCausalLM), tie_word_embeddings=True, head_dim=6, use_sliding_window=True, sliding_window=4,
        max_window_layers=1, attn_implementation="eager", rope_parameters=YARN,
    ),
    # A window of two tokens to each side; other names by a head, as in tiny-xlm-roberta.
    "tiny-modernbert": lambda name: bare(
        name, ModernBertConfig, ModernBertForMaskedLM, poolings=("mean", "cls"), body="model", **TINY_MODERNBERT,
    ),
    "tiny-modernbert-biased": lambda name: bare(
        name, ModernBertConfig, ModernBertModel, **{**TINY_MODERNBERT, "num_hidden_layers": 2}, norm_bias=True, attention_bias=True,
        mlp_bias=True, layer_types=["full_attention", "sliding_attention"],
        rope_parameters={"full_attention": YARN, "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}},
    ),
    "tiny-gemma3": lambda name: decoder(
        name, (Gemma3TextConfig, Gemma3ForCausalLM), tie_word_embeddings=True, head_dim=6, sliding_window=3,
        layer_types=["sliding_attention", "full_attention"], attn_implementation="eager", query_pre_attn_scalar=9,
        rope_parameters={"full_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0},
                         "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}},
    ),
    # In both directions: a window of 4 shows 2 keys to each side.
    "tiny-embeddinggemma": lambda name: bare(
        name, Gemma3TextConfig, Gemma3TextModel, **TINY_DECODER, head_dim=4, sliding_window=4, use_bidirectional_attention=True,
        layer_types=["sliding_attention", "full_attention"], query_pre_attn_scalar=4,
    ),
    "tiny-smollm3": lambda name: decoder(
        name, (SmolLM3Config, SmolLM3ForCausalLM), tie_word_embeddings=True, num_hidden_layers=3, no_rope_layer_interval=2,
        rope_parameters={"rope_type": "yarn", "rope_theta": 5000.0, "factor": 2.0, "original_max_position_embeddings": 32,
                         "beta_fast": 4.0, "beta_slow": 2.0, "attention_factor": 1.5},
    ),
    "tiny-granite": lambda name: decoder(
        name, (GraniteConfig, GraniteForCausalLM), tie_word_embeddings=False, embedding_multiplier=3.0, residual_multiplier=0.4,
        attention_multiplier=0.2, logits_scaling=2.5,
    ),
    "tiny-eurobert": lambda name: bare(name, EuroBertConfig, EuroBertModel, **TINY_DECODER),
    "tiny-mpnet": lambda name: bare(
        name, MPNetConfig, MPNetForMaskedLM, FAR_TEXTS, ("mean", "cls"), body="mpnet", max_position_embeddings=150, **TINY_ENCODER,
    ),
    # These three are saved with the names of their makers' own code.
    "tiny-nomic-bert": lambda name: bare(
        name, NomicBertConfig, NomicBertModel, TEXTS, max_position_embeddings=64, **TINY_ENCODER, hidden_act="silu",
    ),
    "tiny-gte": lambda name: bare(
        name, GteConfig, GteModel, LONG_TEXTS, max_position_embeddings=64, **TINY_ENCODER, pad_token_id=0,
        rope_parameters={"rope_type": "linear", "rope_theta": 100.0, "factor": 1.3},
    ),
    "tiny-jina-v3": lambda name: bare(
        name, JinaEmbeddingsV3Config, JinaEmbeddingsV3Model, TEXTS, max_position_embeddings=64, **TINY_ENCODER, pad_token_id=0,
    ),
    "tiny-distilbert": lambda name: bare(
        name, DistilBertConfig, DistilBertForMaskedLM, TEXTS, body="distilbert", vocab_size=40, dim=16, n_layers=2, n_heads=4,
        hidden_dim=24, dropout=0.0, attention_dropout=0.0, max_position_embeddings=16, initializer_range=0.3,
    ),
    "tiny-qwen3-embedding": lambda name: bare(
        name, Qwen3Config, Qwen3Model, poolings=("lasttoken", "weightedmean", "max"), **TINY_DECODER, head_dim=4,
        rope_parameters={"rope_type": "linear", "rope_theta": 1000000.0, "factor": 2.0},
    ),
}

for chosen in sys.argv[1:] or MAKERS:
    MAKERS[chosen](chosen)
