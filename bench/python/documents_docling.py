"""docling in bench/documents.mjs: its HTML and Markdown backends (no models), chunked by its hybrid chunker. Prints JSON."""

import json
import resource
import sys
import time
from pathlib import Path

from docling.backend.html_backend import HTMLDocumentBackend
from docling.backend.md_backend import MarkdownDocumentBackend
from docling.datamodel.base_models import InputFormat
from docling.datamodel.document import InputDocument
from docling_core.transforms.chunker.hybrid_chunker import HybridChunker
from docling_core.transforms.chunker.tokenizer.huggingface import HuggingFaceTokenizer
from transformers import AutoTokenizer

with open(sys.argv[1], encoding="utf-8") as file:
    request = json.load(file)
tokenizer = AutoTokenizer.from_pretrained(request["encoder"])
chunker = HybridChunker(tokenizer=HuggingFaceTokenizer(tokenizer=tokenizer, max_tokens=request["tokens"]))
passages = {}
began = time.perf_counter()
for name in request["files"]:
    path = Path(name)
    format, backend = (
        (InputFormat.MD, MarkdownDocumentBackend) if path.suffix == ".md" else (InputFormat.HTML, HTMLDocumentBackend)
    )
    page = InputDocument(path_or_stream=path, format=format, backend=backend, filename=path.name)
    document = backend(in_doc=page, path_or_stream=path).convert()
    # Headings are in the chunks' metadata alone; contextualize is what docling's examples embed. Here they are
    # wanted once each, not before every chunk.
    texts, last = [], []
    for chunk in chunker.chunk(document):
        headings = chunk.meta.headings or []
        new = [heading for i, heading in enumerate(headings) if last[: i + 1] != headings[: i + 1]]
        texts.append("\n".join([*new, chunk.text]))
        last = headings
    passages[name] = texts
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_rss_mb": peak, "passages": passages}))
