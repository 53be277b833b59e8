"""Vectors of sentence-transformers and greedy text of transformers for a request (JSON file); prints JSON."""

import json
import sys

import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForCausalLM, AutoTokenizer

request = json.load(open(sys.argv[1]))
encoder = SentenceTransformer(request["encoder"], device="cpu")
vectors = encoder.encode(request["texts"], prompt_name="passage", normalize_embeddings=True)

tokenizer = AutoTokenizer.from_pretrained(request["decoder"])
model = AutoModelForCausalLM.from_pretrained(request["decoder"], dtype=torch.float32).eval()
greedy = []
for text in request["texts"]:
    inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    output = model.generate(**inputs, max_new_tokens=request["new_tokens"], do_sample=False)
    greedy.append(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
print(json.dumps({"vectors": vectors.tolist(), "greedy": greedy}))
