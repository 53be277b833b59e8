#!/usr/bin/env bash
# Makes .venv with the Python peers of the benchmarks, and .peers with llama.cpp.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv
.venv/bin/pip install --quiet torch transformers sentence-transformers trl peft onnx rouge_score nltk pytrec_eval-terrier ranx sacrebleu torchmetrics scipy scikit-learn
# For bench/engines.mjs: nothing of it is compiled here but what it needs when it runs.
.venv/bin/pip install --quiet accelerate wheel setuptools
DS_BUILD_OPS=0 .venv/bin/pip install --quiet --no-build-isolation deepspeed==0.19.8
.venv/bin/python -c 'import torch, transformers, sentence_transformers as s; print("torch", torch.__version__, "transformers", transformers.__version__, "sentence-transformers", s.__version__)'
npm install --prefix .peers --no-save --no-audit --no-fund --ignore-scripts node-llama-cpp@3.22.1
