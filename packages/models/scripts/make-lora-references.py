"""Makes adapters with PEFT on the tiny models, and its vectors, losses and gradients: the references of lora.test.ts.

    python packages/models/scripts/make-lora-references.py        (needs torch, transformers, peft, safetensors)

Writes src/fixtures/<model>/lora.safetensors: `adapter.<PEFT's name>`, `gradient.<PEFT's name>`, and `vectors` or `loss`. Run
make-gradient-references.py first: it makes the models.
"""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForCausalLM

FIXTURES = Path(__file__).parent.parent / "src" / "fixtures"


def adapted(loader, name, task, r, alpha, targets):
    torch.manual_seed(3)
    base = loader.from_pretrained(FIXTURES / name, dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(task_type=task, r=r, lora_alpha=alpha, lora_dropout=0.0, target_modules=targets)).eval()
    for key, parameter in model.named_parameters():
        if "lora_B" in key:  # B = 0 would leave A without a gradient
            parameter.data = 0.2 * torch.randn_like(parameter)
    return model


def save(model, name, reference):
    tensors = dict(reference)
    # Only what the loss reaches: transformers gives BERT a pooler, whose adapter it does not.
    reached = {key: p for key, p in model.named_parameters() if p.grad is not None}
    saved = get_peft_model_state_dict(model)
    for key, parameter in reached.items():
        tensors[f"gradient.{key.replace('.default', '')}"] = parameter.grad
        tensors[f"adapter.{key.replace('.default', '')}"] = saved[key.replace(".default", "")]
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, FIXTURES / name / "lora.safetensors")
    print(name, len(reached), "gradients")


def bert():
    model = adapted(AutoModel, "tiny-bert", "FEATURE_EXTRACTION", 3, 4, ["query", "key", "value", "dense"])
    ids = torch.tensor([[2, 5, 9, 31, 7, 3], [2, 17, 17, 3, 0, 0], [2, 39, 3, 0, 0, 0]])
    mask = (ids != 0).long()
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    vectors = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    seeds = load_file(FIXTURES / "tiny-bert" / "reference.safetensors")["vector_gradients"]
    (vectors * seeds).sum().backward()
    save(model, "tiny-bert", {"vectors": vectors})


def llama(name, r, alpha, targets):
    model = adapted(AutoModelForCausalLM, name, "CAUSAL_LM", r, alpha, targets)
    ids = torch.tensor([[1, 5, 9, 30, 7, 11, 12, 2], [1, 17, 4, 38, 2, 0, 0, 0]])
    labels = torch.tensor([[-100] * 5 + [11, 12, 2], [-100] * 3 + [38, 2] + [-100] * 3])
    result = model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels)
    result.loss.backward()
    save(model, name, {"loss": result.loss})


bert()
llama("tiny-llama", 2, 6, "all-linear")
llama("tiny-llama-untied", 2, 1, ["q_proj", "v_proj"])
