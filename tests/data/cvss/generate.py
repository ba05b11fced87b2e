"""Writes vectors.tsv: CVSS vectors with the scores that a second implementation gives them.

The second implementation is the Python package `cvss` 3.6, which computes with decimals and shares no code with the
Rust crate. Run again only to add vectors:

    python3 -m venv venv && venv/bin/pip install --require-hashes -r tests/data/cvss/requirements.txt
    venv/bin/python tests/data/cvss/generate.py > tests/data/cvss/vectors.tsv

With a seed and a factor it prints others, and that many times as many: `generate.py 7 5`. tests/cvss.rs asks for those.

All base vectors of 3.0, 3.1 and 4.0 and 40,000 random ones of 4.0 (150,160 in all) were compared once: no score
differs. What is kept here is a sample, fixed by the seed.

Three columns: vector, score (the base score for 3.x, the only score for 4.0), severity in lower case.
"""

import random
import sys

from cvss import CVSS3, CVSS4
from cvss.constants3 import METRICS_MANDATORY as BASE3
from cvss.constants3 import METRICS_VALUES as VALUES3
from cvss.constants4 import METRICS_MANDATORY as BASE4
from cvss.constants4 import METRICS_VALUE_NAMES as VALUES4

SEED = 20260907


def pick(rng, values, base, optional_share):
    """A random vector's metrics: every base metric, and each optional one with the given probability."""
    parts = []
    for metric, allowed in values.items():
        if metric in base or rng.random() < optional_share:
            parts.append(f"{metric}:{rng.choice([value for value in allowed if value])}")
    return "/".join(parts)


def main():
    seed, times = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else (SEED, 1)
    rng = random.Random(seed)
    plans = [
        ("CVSS:3.1", VALUES3, BASE3, 0.0, 200),
        ("CVSS:3.1", VALUES3, BASE3, 0.3, 60),
        ("CVSS:3.0", VALUES3, BASE3, 0.0, 100),
        ("CVSS:4.0", VALUES4, BASE4, 0.0, 200),
        ("CVSS:4.0", VALUES4, BASE4, 0.15, 200),
        ("CVSS:4.0", VALUES4, BASE4, 0.5, 100),
    ]
    seen = set()
    for prefix, values, base, share, count in plans:
        written = 0
        while written < count * times:
            vector = f"{prefix}/{pick(rng, values, base, share)}"
            if vector in seen:
                continue
            seen.add(vector)
            judged = CVSS4(vector) if prefix == "CVSS:4.0" else CVSS3(vector)
            print(vector, f"{float(judged.base_score):.1f}", judged.severities()[0].lower(), sep="\t")
            written += 1


if __name__ == "__main__":
    main()
