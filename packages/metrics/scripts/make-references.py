"""Writes src/fixtures/references.json: figures of public Python implementations that our metrics must equal.

    pip install rouge_score nltk pytrec_eval-terrier sacrebleu scipy scikit-learn
    python packages/metrics/scripts/make-references.py

ROUGE from rouge_score, stems from NLTK, retrieval figures from pytrec_eval, BLEU from sacrebleu, Wilson's interval and exact tests from
scipy, kappa from scikit-learn. SQuAD's figures are worked out here with
Python's own str.split and re, which is what the published evaluation runs on.
"""

import collections
import importlib.metadata
import json
import pathlib
import random
import re
import string

import numpy
import pytrec_eval
import sacrebleu
import scipy.stats
import sklearn.metrics
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

FIXTURE = pathlib.Path(__file__).parent.parent / "src" / "fixtures" / "references.json"

PAIRS = [
    ("", ""),
    ("", "something was said"),
    ("something was expected", ""),
    ("?!... --- ,,,", "*** ((( )))"),
    ("the a an", "a the"),
    ("The cluster", "cluster"),
    ("the the the cat cat", "the cat cat cat the"),
    ("a b c d e f g", "g f e d c b a"),
    ("one two three four", "one two three four"),
    ("one two three four", "four one two three"),
    ("Zürich naïve café señora", "zurich naive cafe senora"),
    ("caña ña a ñ", "caña ña ñ"),
    ("Ключ шифрования", "ключ шифрования a"),
    ("数据库 the 集群", "数据库 集群"),
    ("İstanbul KELVIN \u212a", "istanbul kelvin k"),
    ("emoji 🚀 launch 🚀", "🚀 launch"),
    ("tabs\tand\nnew lines\u00a0here\u2003there", "tabs and new lines here there"),
    ("zero\ufeffwidth mark", "zero width mark"),
    ("unit\x1fseparator next\x85line", "unit separator next line"),
    ("state-of-the-art retrieval", "state of the art retrieval"),
    ("don't can't won't", "dont cant wont"),
    ("snake_case_name and spark.sql.shuffle.partitions=200", "snake case name spark sql shuffle partitions 200"),
    ("`dbutils.fs.ls(\"/mnt\")` lists files", "use dbutils.fs.ls('/mnt') to list a file"),
    ("version 14.3 LTS, released 2024-02-01", "14.3 lts was released on February 1, 2024"),
    ("Running jobs are queued, dying workers restarted", "the job runs; a worker that dies restarts"),
    ("flies skies ties lying spied enjoyed happily", "fly sky tie lie spy enjoy happy"),
    ("geology archaeology theology generalizations", "geologist archaeological theological generalize"),
    ("Unity Catalog governs data and AI assets across workspaces.", "Data and AI assets are governed by Unity Catalog."),
    (
        "To enable auto-scaling, set the minimum and maximum number of workers, then restart the cluster.",
        "Set the minimum number of workers and the maximum number of workers and the cluster restarts itself.",
    ),
    ("yes", "Yes."),
    ("no", "Not at all, no, no, no"),
    ("x" * 200, "x" * 200),
    ("word " * 60, "word " * 45),
]

STEM_WORDS = """
caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned falling
hissing fizzed failing filing happy sky relational conditional rational valenci hesitanci digitizer conformabli radicalli
differentli vileli analogousli vietnamization predication operator feudalism decisiveness hopefulness callousness formaliti
sensitiviti sensibiliti triplicate formative formalize electriciti electrical hopeful goodness revival allowance inference
airliner gyroscopic adjustable defensible irritant replacement adjustment dependent adoption homologou communism activate
angulariti homologous effective bowdlerize probate rate cease controll roll dying lying tying skies news innings outings
cannings howe proceed exceed succeed dies flies spied died enjoyed enjoyment toy syzygy yyyy yyyyed naturally hopefully
fulli logi geologi theologi archaeology biology oed eed need freed using owed used ion union onion region nation station
databricks workspaces queries partitioned repartitioning caching cached skewness vectorized tokenization utf8 s3 200ms
aing bing ying xying as is us bus gas buses generally totally dually usually actually allied bodied cried specied
alli ally rally nnalli ended ending edited adding added egging ebbed inned offing aliens agencies accessibility
responsibilities ability abilities visible terrible eligible flexible able cable tables ruling controlled wholly fully
""".split()


def squad_tokens(text):
    text = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    return re.sub(r"\b(?:a|an|the)\b", " ", text).split()


def squad(gold, predicted):
    gold_tokens, predicted_tokens = squad_tokens(gold), squad_tokens(predicted)
    exact = float(gold_tokens == predicted_tokens)
    if not gold_tokens or not predicted_tokens:
        return {"f1": exact, "exact_match": exact, "precision": exact, "recall": exact}
    common = sum((collections.Counter(gold_tokens) & collections.Counter(predicted_tokens)).values())
    precision, recall = common / len(predicted_tokens), common / len(gold_tokens)
    f1 = 2 * precision * recall / (precision + recall) if common else 0.0
    return {"f1": f1, "exact_match": exact, "precision": precision, "recall": recall}


def rouge(gold, predicted, stem):
    names = ["rouge1", "rouge2", "rougeL"]
    scores = rouge_scorer.RougeScorer(names, use_stemmer=stem).score(gold, predicted)
    return {name: dict(scores[name]._asdict()) for name in names}


MEASURES = {"recip_rank", "map", "map_cut.1,4,10", "recall.1,2,4,10", "ndcg_cut.1,2,4,10"}


def rankings():
    """Scores with ties, several gold passages of relevance 0 to 3, some of them never retrieved."""
    generator = random.Random(7)
    ids = [f"d{i}" for i in range(12)] + ["é", "日本", "🚀", "D1", "d"]
    cases = []
    for number in range(40):
        retrieved = generator.sample(ids, generator.randint(1, 14))
        gold = {key: generator.randint(0, 3) for key in generator.sample(ids, generator.randint(1, 5))}
        gold[generator.choice(ids)] = 1
        levels = [100, 4, 1][number % 3]
        scores = {key: generator.randrange(levels) / 7 for key in retrieved}
        if number == 0:
            # Two doubles that are one float.
            scores = {"d1": 1.0, "d2": 1.0 + 1e-9, "d3": 0.5}
        figures = pytrec_eval.RelevanceEvaluator({"q": gold}, MEASURES).evaluate({"q": scores})["q"]
        cases.append({"scores": scores, "gold": gold, "figures": figures})
    return cases


REFERENCE_LISTS = [
    (["the cat is on the mat", "there is a cat on the mat"], "the the the cat on mat"),
    (["a b c d e", "a b c"], "a b c d"),
    (["short", "a much longer reference text than the other"], "short text"),
    (["", "word"], "word"),
    (["one &amp; two &lt;skipped&gt; <skipped>three", "1,000.5 units, 5-6"], "one & two three 1,000.5 units , 5 - 6"),
]


def bleu():
    sentences = [([gold], predicted) for gold, predicted in PAIRS] + REFERENCE_LISTS
    cases = [
        {"references": references, "candidate": candidate, "bleu": sacrebleu.sentence_bleu(candidate, references).score / 100}
        for references, candidate in sentences
    ]
    candidates = [candidate for _, candidate in PAIRS]
    corpus = sacrebleu.corpus_bleu(candidates, [[gold for gold, _ in PAIRS]]).score / 100
    return {"sentences": cases, "corpus": corpus}


def uncertainty():
    generator = random.Random(11)
    shares = [(0, 1), (1, 1), (0, 75), (75, 75), (1, 75), (45, 75), (60, 93), (150, 300), (4999, 5000)]
    signs = [(0, 1), (3, 3), (0, 8), (5, 12), (12, 5), (30, 51), (700, 801)]
    lists = [[generator.choice([0, 0, 0.25, 0.5, 1, -0.5, -1]) for _ in range(size)] for size in [3, 6, 10, 14]]
    lists += [[generator.uniform(-1, 1.5) for _ in range(size)] for size in [2, 9, 13]]
    raters = [([generator.choice("xyz") for _ in range(size)], [generator.choice("xxyz") for _ in range(size)]) for size in [5, 40, 200]]
    raters.append((["yes"] * 9 + ["no"], ["yes"] * 8 + ["no", "no"]))

    def wilson(successes, n):
        interval = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
        return {"successes": successes, "n": n, "low": interval.low, "high": interval.high}

    def permutation(values):
        moved = [value for value in values if value != 0]
        result = scipy.stats.permutation_test(
            (numpy.array(moved),), numpy.sum, permutation_type="samples", n_resamples=numpy.inf
        )
        return {"differences": values, "p_value": float(result.pvalue)}

    return {
        "wilson": [wilson(*share) for share in shares],
        "sign": [
            {"wins": wins, "losses": losses, "p_value": scipy.stats.binomtest(wins, wins + losses).pvalue}
            for wins, losses in signs
        ],
        "permutation": [permutation(values) for values in lists],
        "kappa": [{"a": a, "b": b, "kappa": float(sklearn.metrics.cohen_kappa_score(a, b))} for a, b in raters],
    }


stemmer = PorterStemmer()
references = {
    "made_with": {
        name: importlib.metadata.version(name)
        for name in ["rouge_score", "nltk", "pytrec_eval-terrier", "sacrebleu", "scipy", "scikit-learn"]
    },
    "pairs": [
        {
            "gold": gold,
            "predicted": predicted,
            "rouge": rouge(gold, predicted, False),
            "rouge_stemmed": rouge(gold, predicted, True),
            "squad": squad(gold, predicted),
        }
        for gold, predicted in PAIRS
    ],
    "stems": {word: stemmer.stem(word) for word in STEM_WORDS},
    "rankings": rankings(),
    "bleu": bleu(),
    "uncertainty": uncertainty(),
}
FIXTURE.parent.mkdir(exist_ok=True)
FIXTURE.write_text(json.dumps(references, ensure_ascii=True, indent=1) + "\n")
