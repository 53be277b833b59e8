"""unstructured in bench/documents.mjs: elements of a page, chunked by title. Prints JSON."""

import json
import resource
import sys
import time

from unstructured.chunking.title import chunk_by_title
from unstructured.partition.html import partition_html

try:
    from unstructured.partition.md import partition_md
except ImportError:
    partition_md = None

with open(sys.argv[1], encoding="utf-8") as file:
    request = json.load(file)
passages = {}
began = time.perf_counter()
for path in request["files"]:
    partition = partition_md if path.endswith(".md") else partition_html
    elements = partition(filename=path)
    # Four characters a token, as is usual for English.
    chunks = chunk_by_title(elements, max_characters=4 * request["tokens"], overlap=4 * request["overlap"])
    passages[path] = [chunk.text for chunk in chunks]
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_rss_mb": peak, "passages": passages}))
