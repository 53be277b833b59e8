"""Writes src/fixtures/references.json: figures of public Python implementations that our metrics must equal.

    pip install rouge_score nltk pytrec_eval-terrier
    python packages/metrics/scripts/make-references.py

ROUGE from rouge_score, stems from NLTK, retrieval figures from pytrec_eval. SQuAD's figures are worked out here with
Python's own str.split and re, which is what the published evaluation runs on.
"""

import collections
import importlib.metadata
import json
import pathlib
import random
import re
import string

import pytrec_eval
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


def rankings():
    generator = random.Random(7)
    ids = [f"d{i}" for i in range(12)]
    cases = []
    for number in range(24):
        retrieved = generator.sample(ids, generator.randint(1, 10))
        gold = {key: generator.randint(1, 3) for key in generator.sample(ids, generator.randint(1, 4))}
        run = {key: 1.0 - place / 100 for place, key in enumerate(retrieved)}
        measures = {"recip_rank", "recall.1,4,10", "ndcg_cut.1,4,10"}
        figures = pytrec_eval.RelevanceEvaluator({"q": gold}, measures).evaluate({"q": run})["q"]
        cases.append({"retrieved": retrieved, "gold": gold, "figures": figures})
    return cases


stemmer = PorterStemmer()
references = {
    "made_with": {
        name: importlib.metadata.version(name) for name in ["rouge_score", "nltk", "pytrec_eval-terrier"]
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
}
FIXTURE.parent.mkdir(exist_ok=True)
FIXTURE.write_text(json.dumps(references, ensure_ascii=True, indent=1) + "\n")
