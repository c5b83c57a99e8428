"""The verdict of a comparison in one of seven fixed words, for scripts that read many of them.

It is about the ladder: the better of the two networks against the best of the models below. The stack, which gives the
answers, is no rung; what the network adds to it stands beside the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from sewall.crossfit import NETWORK
from sewall.dna.findings import FAIL
from sewall.jobs.sequence.models import BASE
from sewall.stacking import STACK
from sewall.trust.compare import NEGLIGIBLE, Estimate
from sewall.trust.learning_curve import SMALL_SAMPLE

DEEP, COMPOSITION = ("small", NETWORK), "composition"
CHANCE = {"auroc": 0.5}  # of other metrics 0
VAGUE = 0.02  # half-width of a difference beyond which its absence says nothing
ERROR = 0.05  # chance that the best of models without any signal seems to have one
LEAK = "leak"  # how the names of checks begin that look across a split

PHRASES = {
    "invalid_leak": "not valid: training and test share sequences",
    "no_signal": "no signal: no model beats chance",
    "confounded": "confounded: composition alone is as good",
    "deep_is_worse": "the network is worse than a simple model",
    "deep_helps": "the network helps",
    "simple_is_enough": "a simple model is enough",
    "undecided": "undecided: the data cannot tell the models apart",
}
SMALL = "small_sample"


@dataclass(frozen=True)
class Verdict:
    """What a comparison comes to.

    Attributes:
        word: a key of `PHRASES`.
        status: ``small_sample`` below a thousand sequences, else ``ok``.
    """

    word: str
    status: str

    @property
    def phrase(self) -> str:
        """The word in front of people."""
        return PHRASES[self.word] + (", in a small sample" if self.status == SMALL else "")

    def to_dict(self) -> dict[str, str]:
        """Return the ``verdict_word``, ``verdict_phrase`` and ``status`` of evaluation.json."""
        return {"verdict_word": self.word, "verdict_phrase": self.phrase, "status": self.status}


def verdict_of(scores: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> Verdict:
    """Return the verdict of a comparison.

    Args:
        scores: with ``n``, ``metric``, ``models`` and ``differences``, as in evaluation.json.
        findings: of the audit.
    """
    status = SMALL if scores["n"] < SMALL_SAMPLE else "ok"
    return Verdict(_word(scores, findings), status)


def _word(scores: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> str:
    metric = scores["metric"]
    known = {m["key"]: Estimate(**m["metrics"][metric]) for m in scores["models"] if m["key"] not in (STACK, BASE)}
    if any(finding["status"] == FAIL and finding["check"].startswith(LEAK) for finding in findings):
        return "invalid_leak"
    if not _beat_chance(list(known.values()), CHANCE.get(metric, 0.0)):
        return "no_signal"
    rival = _best(known, [key for key in known if key != COMPOSITION])
    over_composition = _difference(scores, rival, COMPOSITION)
    if _adequate(over_composition, metric):
        return "undecided" if _vague(over_composition) else "confounded"
    deep, simple = _best(known, DEEP), _best(known, [key for key in known if key not in DEEP])
    return _of_networks(_difference(scores, deep, simple), metric)


def _of_networks(gain: Estimate, metric: str) -> str:
    """Return the verdict on what the network gains over the best simple model."""
    if not _adequate(gain, metric):
        return "deep_helps"
    if gain.upper < 0 and gain.lower < -NEGLIGIBLE.get(metric, 0.0):
        return "deep_is_worse"
    return "undecided" if _vague(gain) else "simple_is_enough"


def _adequate(gain: Estimate, metric: str) -> bool:
    """Return whether a model is good enough over which another has this gain."""
    return gain.lower <= 0 or gain.upper <= NEGLIGIBLE.get(metric, 0.0)


def _vague(gain: Estimate) -> bool:
    return gain.lower <= 0 <= gain.upper and (gain.upper - gain.lower) / 2 > VAGUE


def _beat_chance(known: Sequence[Estimate], chance: float) -> bool:
    """Return whether a model is beyond chance, allowing for how many were tried (Bonferroni)."""
    wide = norm.ppf(1 - ERROR / max(len(known), 1)) / norm.ppf(0.975)
    return any(one.value - wide * (one.value - one.lower) > chance for one in known)


def _best(known: Mapping[str, Estimate], among: Iterable[str]) -> str:
    return max((key for key in among if key in known), key=lambda key: np.nan_to_num(known[key].value, nan=-1.0))


def _difference(scores: Mapping[str, Any], model: str, against: str) -> Estimate:
    """Return the paired difference of two models, whichever way round it was noted."""
    for entry in scores["differences"]:
        if (entry["model"], entry["against"]) == (model, against):
            return Estimate(entry["value"], entry["lower"], entry["upper"])
        if (entry["model"], entry["against"]) == (against, model):
            return Estimate(-entry["value"], -entry["upper"], -entry["lower"])
    raise KeyError(f"{model} was not compared with {against}")
