"""Figures of the Python packages for the cases of bench/metrics.mjs: `metrics.py CASES.json`, JSON on the last line."""

import collections
import importlib.metadata
import json
import math
import sys
import warnings

import pytrec_eval
import ranx
import sacrebleu
import scipy.stats
import sklearn.metrics
from rouge_score import rouge_scorer
from torchmetrics.functional.text import squad as torchmetrics_squad
from torchmetrics.functional.text.squad import _get_tokens

warnings.filterwarnings("ignore")

with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)
depths = cases["depths"]
scorers = {stem: rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem) for stem in (False, True)}


def rouge(gold, predicted, stem):
    return {name: dict(score._asdict()) for name, score in scorers[stem].score(gold, predicted).items()}


def squad(gold, predicted):
    """The figures in double precision, from torchmetrics' tokens; empty answers as SQuAD 2.0's evaluation has them."""
    gold_tokens, predicted_tokens = _get_tokens(gold), _get_tokens(predicted)
    exact = float(gold_tokens == predicted_tokens)
    if not gold_tokens or not predicted_tokens:
        return {"f1": exact, "exact_match": exact, "precision": exact, "recall": exact}
    common = sum((collections.Counter(gold_tokens) & collections.Counter(predicted_tokens)).values())
    precision, recall = common / len(predicted_tokens), common / len(gold_tokens)
    f1 = 2 * precision * recall / (precision + recall) if common else 0.0
    return {"f1": f1, "exact_match": exact, "precision": precision, "recall": recall}


def torchmetrics(gold, predicted):
    target = {"id": "q", "answers": {"answer_start": [0], "text": [gold]}}
    figures = torchmetrics_squad({"id": "q", "prediction_text": predicted}, target)
    return {name: float(value) / 100 for name, value in figures.items()}


def pair(row):
    gold, predicted = row["gold"], row["predicted"]
    return {
        "rouge": rouge(gold, predicted, False),
        "rouge_stemmed": rouge(gold, predicted, True),
        "squad": squad(gold, predicted),
        "torchmetrics": torchmetrics(gold, predicted),
        "bleu": sacrebleu.sentence_bleu(predicted, [gold]).score / 100,
    }


def with_pytrec_eval(rankings):
    cut = ",".join(map(str, depths))
    measures = {"recip_rank", "map", f"recall.{cut}", f"ndcg_cut.{cut}", f"map_cut.{cut}"}
    names = {"recip_rank": "mrr", "map": "map"}
    for k in depths:
        names |= {f"recall_{k}": f"recall@{k}", f"ndcg_cut_{k}": f"ndcg@{k}", f"map_cut_{k}": f"map@{k}"}
    qrels = {str(i): row["gold"] for i, row in enumerate(rankings)}
    run = {str(i): row["scores"] for i, row in enumerate(rankings)}
    figures = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    return [{names[name]: value for name, value in figures[str(i)].items()} for i in range(len(rankings))]


def with_ranx(rankings):
    measures = ["mrr", "map"] + [f"{name}@{k}" for name in ("recall", "ndcg", "map") for k in depths]
    found = {}
    for i, row in enumerate(rankings):
        if row["ties"]:
            continue
        # ranx takes an entry of relevance 0 for a gold passage in some measures.
        gold = {key: value for key, value in row["gold"].items() if value > 0}
        found[i] = (gold, row["scores"])
    qrels = ranx.Qrels({str(i): gold for i, (gold, _) in found.items()})
    run = ranx.Run({str(i): scores for i, (_, scores) in found.items()})
    ranx.evaluate(qrels, run, measures)
    return [
        {name: float(run.scores[name][str(i)]) for name in measures} if i in found else None
        for i in range(len(rankings))
    ]


def interval(row):
    found = scipy.stats.binomtest(row["successes"], row["n"]).proportion_ci(method="wilson")
    return {"low": float(found.low), "high": float(found.high)}


def kappa(row):
    value = float(sklearn.metrics.cohen_kappa_score(row["a"], row["b"]))
    return None if math.isnan(value) else value


def corpus(pairs):
    candidates = [row["predicted"] for row in pairs]
    return sacrebleu.corpus_bleu(candidates, [[row["gold"] for row in pairs]]).score / 100


packages = ["pytrec_eval-terrier", "ranx", "rouge_score", "sacrebleu", "torchmetrics", "scipy", "scikit-learn"]
print(
    json.dumps(
        {
            "pairs": [pair(row) for row in cases["pairs"]],
            "lists": [sacrebleu.sentence_bleu(row["candidate"], row["references"]).score / 100 for row in cases["lists"]],
            "corpora": [corpus(pairs) for pairs in cases["corpora"]],
            "pytrec_eval": with_pytrec_eval(cases["rankings"]),
            "ranx": with_ranx(cases["rankings"]),
            "shares": [interval(row) for row in cases["shares"]],
            "signs": [float(scipy.stats.binomtest(row["wins"], row["wins"] + row["losses"]).pvalue) for row in cases["signs"]],
            "raters": [kappa(row) for row in cases["raters"]],
            "versions": {name: importlib.metadata.version(name) for name in packages},
        }
    )
)
