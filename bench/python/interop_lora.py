"""PEFT on an adapter folder against the merged model beside it, for a request (JSON file): vectors of an encoder, logits of a decoder and of a
reranker; prints JSON."""

import json
import sys

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

request = json.load(open(sys.argv[1]))


def outputs(loader, base, merged, texts=request["texts"], **settings):
    """Of each text or pair: last output of the base, of base and adapter, and of the merged model."""
    tokenizer = AutoTokenizer.from_pretrained(merged)
    plain, adapted, whole = (loader.from_pretrained(f, dtype=torch.float32, **settings).eval() for f in (base, base, merged))
    adapted = PeftModel.from_pretrained(adapted, f"{merged}/adapter").eval()
    wanted = {key.replace(".modules_to_save", "").replace(".default", "") for key in adapted.state_dict()
              if "lora_" in key or "modules_to_save" in key}
    saved = set(load_file(f"{merged}/adapter/adapter_model.safetensors"))
    rows = []
    with torch.no_grad():
        for text in texts:
            # Token types only where there are two texts: decoders take none.
            inputs = tokenizer(*text, return_tensors="pt") if isinstance(text, list) else tokenizer(
                text, return_tensors="pt", return_token_type_ids=False)
            rows.append([model(**inputs)[0][0].double() for model in (plain, adapted, whole)])
    # Relative to what the adapter changes: a difference to the merged model of 1e-5 is 1e-5 of that.
    changed = sum((a - p).square().sum() for p, a, _ in rows).sqrt()
    return {
        "error": (sum((a - w).square().sum() for _, a, w in rows).sqrt() / changed).item(),
        "change": (changed / sum(p.square().sum() for p, _, _ in rows).sqrt()).item(),
        "names_equal": wanted == saved,
        "adapters": len(saved),
    }


print(
    json.dumps(
        {
            "encoder": outputs(AutoModel, request["encoder_base"], request["encoder"]),
            "decoder": outputs(AutoModelForCausalLM, request["decoder_base"], request["decoder"]),
            "reranker": outputs(AutoModelForSequenceClassification, request["scorer_base"], request["scorer"], request["pairs"], num_labels=1),
        }
    )
)
