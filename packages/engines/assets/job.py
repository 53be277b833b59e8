"""Checks a job of rag-ft before it runs (check), and writes down what came of it (finish). Standard library alone, but for adapters."""

import hashlib
import json
import math
import os
import re
import sys
from importlib import metadata
from pathlib import Path

RESULT = Path("result")
OWNER = RESULT / "job.txt"
DONE = RESULT / "result.json"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def installed(names):
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def minor(version):
    return version.split("+")[0].split(".")[:2]


def read_job():
    return json.loads(Path("job.json").read_text("utf-8"))


def check():
    job = read_job()
    for name, version in installed(job["packages"]).items():
        pinned = job["packages"][name]
        if version is None:
            sys.exit(f"{name} is not installed, expected {pinned}. Run: pip install -r requirements.txt")
        if minor(version) != minor(pinned):
            sys.exit(f"{name} is {version}, expected {pinned}: another version may train otherwise. Run: pip install -r requirements.txt")
    for file in job["files"]:
        path = Path(file["path"])
        if not path.is_file():
            sys.exit(f"{path} is missing: this folder is not all that rag-ft export wrote. Copy it again.")
        if path.stat().st_size != file["bytes"] or sha256(path) != file["sha256"]:
            sys.exit(f"{path} is not what rag-ft export wrote (another size or hash). Copy it again.")
    if RESULT.is_dir() and any(RESULT.iterdir()) and (not OWNER.is_file() or OWNER.read_text("utf-8") != job["id"]):
        sys.exit("result is of another job. Move it away, then run run.sh again.")
    RESULT.mkdir(exist_ok=True)
    OWNER.write_text(job["id"], "utf-8")
    DONE.unlink(missing_ok=True)


def merge_adapter(job):
    """A model whole from its base and the adapter that was trained, which stays beside it."""
    if not (RESULT / "adapter_config.json").is_file():
        return
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = job["base"]
    source = {"revision": base["commit"]} if base.get("commit") else {}
    model = AutoModelForCausalLM.from_pretrained(base["place"], dtype=torch.float32, **source)
    model = PeftModel.from_pretrained(model, str(RESULT)).merge_and_unload()
    adapter = RESULT / "adapter"
    adapter.mkdir(exist_ok=True)
    model.save_pretrained(RESULT)
    for name in ["adapter_config.json", "adapter_model.safetensors"]:
        os.replace(RESULT / name, adapter / name)


def trainer_state():
    """Of the last checkpoint: it has the log of all steps."""
    found = []
    for path in RESULT.glob("checkpoint-*/trainer_state.json"):
        number = re.fullmatch(r"checkpoint-(\d+)", path.parent.name)
        if number:
            found.append((int(number[1]), path))
    if not found:
        sys.exit("The training left no checkpoint in result: see run.log.")
    return json.loads(max(found)[1].read_text("utf-8"))


def is_finite(value):
    return not isinstance(value, float) or math.isfinite(value)


def finite_log(lines):
    """The trainer's log without what is no number, such as the norm of gradients that a scaler of fp16 threw away. A loss that is none ends the job: the weights are none, either."""
    for line in lines:
        for name in ["loss", "eval_loss"]:
            if not is_finite(line.get(name)):
                sys.exit(
                    f"The training has diverged: {name} is {line[name]} at step {line.get('step')}. Export again with a lower learning_rate, or with bf16 in place of fp16."
                )
    return [{name: value for name, value in line.items() if is_finite(value)} for line in lines]


def finish():
    job = read_job()
    state = trainer_state()
    if state["global_step"] < job["steps"]:
        sys.exit(f"The training ended at step {state['global_step']} of {job['steps']}: see run.log. Run run.sh again: it goes on from there.")
    log = finite_log(state["log_history"])
    merge_adapter(job)
    files = []
    for path in sorted(RESULT.rglob("*")):
        inside = path.relative_to(RESULT)
        if path.is_file() and path not in (DONE, OWNER) and not re.match(r"(checkpoint-\d+|runs)$", inside.parts[0]):
            files.append({"path": inside.as_posix(), "bytes": path.stat().st_size, "sha256": sha256(path)})
    best = re.search(r"checkpoint-(\d+)$", state.get("best_model_checkpoint") or "")
    result = {
        "job": job["id"],
        "step": int(best[1]) if best else state["global_step"],
        "versions": {name: version for name, version in installed([*job["packages"], "torch"]).items() if version},
        "files": files,
        "log": log,
    }
    part = RESULT / "result.json.part"
    part.write_text(json.dumps(result, indent=1, allow_nan=False), "utf-8")
    os.replace(part, DONE)
    print(f"done: {job['id']}. Bring the folder result back beside job.json, then: rag-ft import")


if __name__ == "__main__":
    {"check": check, "finish": finish}[sys.argv[1]]()
