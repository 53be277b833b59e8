"""Stores the token ids that Python's `apply_chat_template` gives for dialogues in templates of six shapes.

    python packages/models/scripts/make-chat-references.py     (needs: pip install transformers jinja2)

Writes packages/models/src/chat/fixtures/references.json for chat-references.test.ts. The tokenizers are those of make-tokenizer-fixtures.py with the
special tokens of each family added; the templates are our own, of the families' shapes. Where a text holds the string of a control token, the
truth is Python's tokenizer with that token under another name, so that the string is plain text; for byte-level tokenizers this is
checked against encoding each stretch between control tokens by itself.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

sys.path.insert(0, str(Path(__file__).parent))
SOURCE = Path(__file__).parent.parent / "src"
TEXTS = re.search(r"^TEXTS = (\[.*?^\])", (Path(__file__).parent / "make-tokenizer-fixtures.py").read_text(), re.S | re.M)
TEXTS = eval(TEXTS.group(1))  # noqa: S307 - our own file
TEXTS += ["<think>\nHm.\n</think>\n\nYes.", "<start_of_turn>model\nx<end_of_turn>", "[INST] x [/INST]", "<|eot_id|><|eot_id|>", "</s><s>"]

CHATML = """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{% endif %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
THINKING = """{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == "assistant" %}
        {%- if '</think>' in content %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.last %}
            {{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>assistant\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
HEADERS = """{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""
TURNS = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"""
INST = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] + '\\n\\n' %}{% set turns = messages[1:] %}{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}{% for message in turns %}{% if message['role'] == 'user' %}{{ '[INST] ' + (system if loop.first else '') + message['content'] + ' [/INST]' }}{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"""
TAGS = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""


def special(*contents):
    return [{"content": content, "special": True} for content in contents]


FAMILIES = {
    "chatml": ("byte-bpe", CHATML, [], {}),
    "thinking": ("byte-bpe-nfc", THINKING, [{"content": "<think>", "special": False}, {"content": "</think>", "special": False}], {}),
    "headers": (
        "byte-bpe-split",
        HEADERS,
        special("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
    ),
    "turns": ("metaspace-bpe", TURNS, special("<bos>", "<start_of_turn>", "<end_of_turn>"), {"bos_token": "<bos>"}),
    "inst": ("metaspace-bpe", INST, special("[INST]", "[/INST]"), {}),
    "tags": ("byte-bpe", TAGS, special("</s>"), {"eos_token": "</s>"}),
}


def renamed(value, names):
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {names.get(key, key): renamed(item, names) for key, item in value.items()}
    return value


def digest(ids):
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:16]


def family(name, kind, template, added, config):
    folder = SOURCE / "tokenizer" / "fixtures" / kind
    description = json.loads((folder / "tokenizer.json").read_text())
    config = {**json.loads((folder / "tokenizer_config.json").read_text()), **config, "chat_template": template}
    known = {token["content"] for token in description["added_tokens"]}
    next_id = Tokenizer.from_str(json.dumps(description)).get_vocab_size(with_added_tokens=True)
    new = [token for token in added if token["content"] not in known]
    new = [
        {"id": next_id + i, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **token}
        for i, token in enumerate(new)
    ]
    description["added_tokens"] += new
    description["truncation"] = description["padding"] = None
    plain = Tokenizer.from_str(json.dumps(description))
    content_of = lambda token: token if isinstance(token, str) or token is None else token["content"]
    specials = {key: content_of(config.get(key)) for key in ("bos_token", "eos_token", "unk_token", "pad_token")}
    specials = {key: value for key, value in specials.items() if value}
    python = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(description)), chat_template=template, **specials)

    controls = [
        token["content"]
        for token in description["added_tokens"]
        if token["special"] or (re.search(r"[^\W\d_]", token["content"]) and token["content"] in template)
    ]
    names = {token: f"\ue000{i}\ue001" for i, token in enumerate(controls)}
    hiding = json.loads(json.dumps(description))
    hiding["added_tokens"] = renamed(hiding["added_tokens"], names)
    hiding["post_processor"] = renamed(hiding["post_processor"], names)
    hiding["model"]["unk_token"] = names.get(hiding["model"].get("unk_token"), hiding["model"].get("unk_token"))
    if isinstance(hiding["model"]["vocab"], dict):
        hiding["model"]["vocab"] = {names.get(key, key): value for key, value in hiding["model"]["vocab"].items()}
    hidden = Tokenizer.from_str(json.dumps(hiding))
    bare = json.loads(json.dumps(hiding))
    bare["added_tokens"] = [token for token in bare["added_tokens"] if token["content"] not in names.values()]
    bare = Tokenizer.from_str(json.dumps(bare))
    pattern = re.compile("|".join(map(re.escape, sorted(controls, key=len, reverse=True))))
    plain_text = lambda text: pattern.sub(lambda found: f"{found[0][0]}\ue002{found[0][1:]}", text)

    def ids_of(messages, generate, thinking):
        how = {"add_generation_prompt": generate, "enable_thinking": thinking}
        if not any(pattern.search(message["content"]) for message in messages):
            ids = python.apply_chat_template(messages, tokenize=True, return_dict=False, **how)
            text = python.apply_chat_template(messages, tokenize=False, **how)
            assert ids == plain.encode(text, add_special_tokens=False).ids, name
            return ids, False
        marked = [{**message, "content": plain_text(message["content"])} for message in messages]
        text = python.apply_chat_template(marked, tokenize=False, **how)
        ids = hidden.encode(pattern.sub(lambda found: names[found[0]], text).replace("\ue002", ""), add_special_tokens=False).ids
        if kind.startswith("byte"):
            apart, at = [], 0
            for found in pattern.finditer(text):
                apart += bare.encode(text[at : found.start()].replace("\ue002", ""), add_special_tokens=False).ids
                apart.append(plain.token_to_id(found[0]))
                at = found.end()
            apart += bare.encode(text[at:].replace("\ue002", ""), add_special_tokens=False).ids
            assert apart == ids, (name, messages)
        return ids, True

    cases = []
    for i in range(len(TEXTS)):
        system, user, answer, before, reply = (TEXTS[(i + k) % len(TEXTS)] for k in (0, 1, 2, 7, 11))
        messages = [{"role": "user", "content": before}, {"role": "assistant", "content": reply}, {"role": "user", "content": user}]
        if i % 3 == 0:
            messages = messages[2:]
        if i % 4 != 3:
            messages = [{"role": "system", "content": f"Answer from this:\n\n{system}"}, *messages]
        given = messages
        if name == "turns" and messages[0]["role"] == "system":
            given = [{"role": "user", "content": f"{messages[0]['content']}\n\n{messages[1]['content']}"}, *messages[2:]]
        thinking = name == "thinking" and i % 5 == 4
        prompt, control = ids_of(given, True, thinking)
        whole, _ = ids_of([*given, {"role": "assistant", "content": answer}], False, thinking)
        # What follows the token that ends the turn, such as a line break, is not the model's.
        ends = [at for at, token in enumerate(whole) if token in {plain.token_to_id(control) for control in controls}]
        whole = whole[: ends[-1] + 1]
        case = {"messages": messages, "answer": answer, "thinking": thinking, "prompt": digest(prompt), "whole": digest(whole)}
        if i < 2:
            case["ids"] = prompt
        cases.append(case | ({"control": True} if control else {}))
    return {"tokenizer": kind, "added": new, "config": config, "cases": cases}


if __name__ == "__main__":
    references = {name: family(name, *parts) for name, parts in FAMILIES.items()}
    target = SOURCE / "chat" / "fixtures" / "references.json"
    target.parent.mkdir(exist_ok=True)
    # One case a line.
    lines = ["{"]
    for f, (name, made) in enumerate(references.items()):
        cases = made.pop("cases")
        head = json.dumps(made, ensure_ascii=True)[:-1]
        body = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases)
        lines.append(f'{json.dumps(name)}: {head}, "cases": [\n{body}\n]}}{"," if f < len(references) - 1 else ""}')
    target.write_text("\n".join([*lines, "}"]) + "\n")
    for name, made in FAMILIES.items():
        print(name, made[0])
    print(sum(text.count('"whole"') for text in lines), "dialogues", target.stat().st_size, "bytes")
