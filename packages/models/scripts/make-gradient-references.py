"""Makes tiny BERT and Llama folders with PyTorch's vectors, loss, logits and gradients, the references of engine.test.ts.

    python packages/models/scripts/make-gradient-references.py        (needs torch, transformers, safetensors)

Writes src/fixtures/<name>/{config.json, model.safetensors, reference.safetensors} beside the tests that read them.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

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


def bert():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
        max_position_embeddings=16, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.3,
    )
    model = perturbed(BertModel(config, add_pooling_layer=False)).eval()
    ids = torch.tensor([[2, 5, 9, 31, 7, 3], [2, 17, 17, 3, 0, 0], [2, 39, 3, 0, 0, 0]])
    mask = (ids != 0).long()
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    reference = {"hidden": hidden}
    weights = torch.randn(3, 16)
    reference["vector_gradients"] = weights
    for pooling in ("mean", "cls"):
        model.zero_grad()
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        if pooling == "mean":
            vectors = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        else:
            vectors = hidden[:, 0]
        (vectors * weights).sum().backward()
        reference[f"{pooling}.vectors"] = vectors
        reference |= {f"{pooling}.{key}": value.clone() for key, value in gradients(model).items()}
    save(model, "tiny-bert", reference)


def llama(name, **extra):
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=40, hidden_size=24, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2, intermediate_size=20,
        max_position_embeddings=64, initializer_range=0.3, rms_norm_eps=1e-5, pad_token_id=0, bos_token_id=1, eos_token_id=2, **extra,
    )
    model = perturbed(LlamaForCausalLM(config)).eval()
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


bert()
llama("tiny-llama", tie_word_embeddings=True)
llama(
    "tiny-llama-untied", tie_word_embeddings=False, attention_bias=True,
    rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 4.0, "low_freq_factor": 1.0,
                     "high_freq_factor": 4.0, "original_max_position_embeddings": 16},
)
