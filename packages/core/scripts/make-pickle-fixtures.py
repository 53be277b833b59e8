"""Writes src/pickle/fixtures/pickles.json: small pickles, as Base64, that the tests read.

Needs Python 3.8 or newer and nothing else: the document classes are stood in for by classes of the same module and
name, whose states are those that dataclasses, pydantic 1 and pydantic 2 give. Run it from anywhere; commit the result.
"""

import base64
import json
import os
import pathlib
import pickle
import sys
import types


def stand_in(module_name, state_of=None, slots=False):
    """A class `module_name.Document` that pickles like the real one."""
    body = {"__module__": module_name, "__qualname__": "Document"}
    if slots:
        body["__slots__"] = ("page_content", "fmt_content", "metadata")
    if state_of:
        body["__getstate__"] = state_of
        body["__setstate__"] = lambda self, state: None
    cls = type("Document", (), body)
    parts = module_name.split(".")
    for end in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(".".join(parts[:end])))
    sys.modules[module_name].Document = cls
    return cls


def document(cls, content, metadata, formatted=True):
    made = cls.__new__(cls)
    made.page_content = content
    if formatted:
        made.fmt_content = f"Source: {metadata.get('source')}\nContent:\n{content}"
    made.metadata = metadata
    return made


def pydantic1(self):
    return {"__dict__": self.__dict__, "__fields_set__": {"page_content"}, "__private_attribute_values__": {}}


def pydantic2(self):
    return {
        "__dict__": self.__dict__,
        "__pydantic_extra__": None,
        "__pydantic_fields_set__": {"page_content"},
        "__pydantic_private__": None,
    }


class Call:
    """Pickles as a call: what a hostile file does."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


Reference = stand_in("local_rqa.schema.document")
Older = stand_in("open_rqa.schema.document", slots=True)
LangChain1 = stand_in("langchain.schema.document", pydantic1)
LangChain2 = stand_in("langchain_core.documents.base", pydantic2)
Foreign = stand_in("elsewhere.schema")

METADATA = {
    "source": "https://example.org/a",
    "title": None,
    "seq_num": 1,
    "score": 0.5,
    "big": 2**40,
    "negative": -70000,
    "flags": (True, False, None),
    "tags": {"only"},
    "nested": {"list": [1, [2, "three"]], 4: "four"},
    "raw": b"\x00\xff",
    "missing": float("nan"),
}
TEXT = "Grüße, 世界 😀\nsecond line \\u0041"


def databases():
    two = lambda cls: [
        document(cls, TEXT, dict(METADATA)),
        document(cls, "short", {"source": "s", "title": "T"}, formatted=cls is not Reference),
    ]
    for protocol in range(6):
        yield f"dataclass-{protocol}", pickle.dumps(two(Reference), protocol)
    for protocol in (2, 4):
        yield f"slots-{protocol}", pickle.dumps(two(Older), protocol)
        yield f"pydantic1-{protocol}", pickle.dumps(two(LangChain1), protocol)
        yield f"pydantic2-{protocol}", pickle.dumps(two(LangChain2), protocol)
    yield "pydantic2-0", pickle.dumps(two(LangChain2), 0)
    # The pickler written in Python, told to close a frame after 512 bytes rather than 64 KiB, keeps this small; texts
    # beyond that size go between the frames.
    pickle._Framer._FRAME_SIZE_TARGET = 512
    many = [document(Reference, "x" * (600 if i == 30 else 20), {"source": "s", "seq_num": i}) for i in range(60)]
    yield "many-frames-4", pickle._dumps(many, 4)


def refused():
    one = lambda **metadata: [document(Reference, "x", {"source": "s", **metadata})]
    for protocol in (0, 2, 4):
        yield f"system-{protocol}", pickle.dumps(one(title=Call(os.system, "echo run")), protocol)
    yield "eval-4", pickle.dumps(Call(eval, "1+1"), 4)
    yield "getattr-4", pickle.dumps([Call(getattr, "text", "upper")], 4)
    yield "foreign-4", pickle.dumps([document(Foreign, "x", {"source": "s"})], 4)
    yield "path-4", pickle.dumps(one(file=pathlib.PurePosixPath("a")), 4)
    yield "no-source-4", pickle.dumps([document(Reference, "x", {"url": "s"})], 4)
    yield "no-text-4", pickle.dumps([document(Reference, 7, {"source": "s"})], 4)
    yield "huge-integer-4", pickle.dumps(one(seq_num=2**70), 4)
    yield "not-a-list-4", pickle.dumps({"documents": []}, 4)
    yield "list-of-text-4", pickle.dumps(["page"], 4)
    itself = []
    itself.append(itself)
    yield "holds-itself-4", pickle.dumps(one(loop=itself), 4)
    unfolding = ["x"]
    for _ in range(40):
        unfolding = [unfolding, unfolding]
    yield "unfolds-4", pickle.dumps(one(tree=unfolding), 4)


def encoded(pairs):
    return {name: base64.b64encode(data).decode("ascii") for name, data in pairs}


target = pathlib.Path(__file__).resolve().parent.parent / "src" / "pickle" / "fixtures" / "pickles.json"
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(json.dumps({"read": encoded(databases()), "refused": encoded(refused())}, indent=1) + "\n")
print(target)
