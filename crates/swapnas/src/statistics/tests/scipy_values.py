"""Writes scipy_values.json beside itself: what SciPy says of a few lists of numbers.

Run with Python 3 and SciPy: `python scipy_values.py`. The tests read the file; they need no Python.
"""

import json
import pathlib
import warnings

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20240117)


def case(name, x, y, z, bootstrap=False):
    x, y, z = (np.asarray(v, dtype=float) for v in (x, y, z))
    values = {
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "z": z.tolist(),
        "ranks": stats.rankdata(x).tolist(),
        "spearman": stats.spearmanr(x, y).statistic,
        "kendall": stats.kendalltau(x, y, variant="b").statistic,
        "pearson": stats.pearsonr(x, y).statistic,
        "spearman_given_z": partial(x, y, z),
        "ndcg": ndcg(x, y),
        "mean_ranks": np.mean([stats.rankdata(v) for v in (x, y, z)], axis=0).tolist(),
        "log_rank_sums": np.sum([np.log(stats.rankdata(v) / len(v)) for v in (x, y, z)], axis=0).tolist(),
    }
    if bootstrap:
        for key, of in (
            ("spearman_ci95", lambda a, b: stats.spearmanr(a, b).statistic),
            ("kendall_ci95", lambda a, b: stats.kendalltau(a, b).statistic),
            ("pearson_ci95", lambda a, b: stats.pearsonr(a, b).statistic),
        ):
            found = stats.bootstrap(
                (x, y), of, paired=True, vectorized=False, n_resamples=20_000, method="percentile", random_state=rng
            )
            values[key] = list(found.confidence_interval)
    return {key: float(v) if isinstance(v, np.floating) else v for key, v in values.items()}


def partial(x, y, z):
    """Correlation of what is left of the ranks after a linear regression on the ranks of z."""
    rx, ry, rz = (stats.rankdata(v) for v in (x, y, z))
    if np.ptp(rz) == 0:
        return stats.pearsonr(rx, ry).statistic
    left = []
    for r in (rx, ry):
        fit = stats.linregress(rz, r)
        left.append(r - fit.slope * rz - fit.intercept)
    return stats.pearsonr(*left).statistic


def ndcg(x, y):
    """Gains from 0 to 1, discounts 1 / log2(rank + 1), shared where x is equal."""
    gain = (y - y.min()) / (y.max() - y.min())
    discount = 1 / np.log2(np.arange(2, len(x) + 2))
    shared = np.empty(len(x))
    order = np.argsort(-x, kind="stable")
    for value in np.unique(x):
        places = np.flatnonzero(x[order] == value)
        shared[order[places]] = discount[places].mean()
    return (gain * shared).sum() / (np.sort(gain)[::-1] * discount).sum()


def main():
    warnings.simplefilter("ignore")
    size = rng.normal(size=200)
    skill = rng.normal(size=200)
    cases = [
        case("two", [1, 2], [5, 3], [1, 1]),
        case("no ties", [3.5, -1, 2, 8, 0.25], [2, 1, 4, 9, 3], [1, 5, 2, 3, 4]),
        case("ties", [1, 2, 2, 3, 3, 3, 4], [2, 2, 1, 5, 4, 5, 5], [7, 7, 1, 2, 2, 9, 4]),
        case("opposed", [1, 2, 3, 4], [9, 7, 5, 3], [2, 1, 2, 1]),
        case("constant z", [4, 1, 3, 2, 2], [1, 2, 5, 4, 3], [6, 6, 6, 6, 6]),
        case("large", [1e250, -2e250, 5e249, 3e249], [1e-250, 3e-250, -2e-250, 5e-251], [0, -0.0, 1, 1]),
        case("uncorrelated", rng.integers(0, 6, 60), rng.integers(0, 4, 60), rng.integers(0, 9, 60)),
        case("correlated", size + 0.6 * rng.normal(size=200) + skill, 90 + size + skill, size, bootstrap=True),
        case(
            "correlated with ties",
            np.round(4 * (size + 0.6 * rng.normal(size=200))),
            np.round(90 + size, 1),
            np.round(3 * skill + size),
            bootstrap=True,
        ),
    ]
    lines = ",\n".join(json.dumps(each) for each in cases)
    text = f'{{"scipy": "{scipy.__version__}", "cases": [\n{lines}\n]}}\n'
    pathlib.Path(__file__).with_suffix(".json").write_text(text)


main()
