"""The published benchmark: 599 wheat lines, 1,279 DArT markers, stored folds (Crossa 2010, Genetics 186:713)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sewall.data.panel import Panel, Sites
from sewall.genomic.blup import GBLUP
from sewall.genomic.gaussian import GaussianKernel
from sewall.genomic.kernels import Kernels
from sewall.genomic.sparse import Lasso

DATA = os.environ.get("SEWALL_DATA")
EXPECTED = {0: (0.53, 0.59), 1: (0.48, 0.48), 2: (0.40, 0.46), 3: (0.47, 0.54)}
NONE = np.zeros((599, 0))


@pytest.mark.skipif(DATA is None, reason="SEWALL_DATA is not set")
def test_wheat_is_predicted_as_well_as_published() -> None:
    folder = Path(DATA or "") / "wheat599"
    markers = pd.read_csv(folder / "wheat_X.csv.gz").to_numpy()
    traits = pd.read_csv(folder / "wheat_Y.csv", index_col=0).to_numpy()
    folds = pd.read_csv(folder / "wheat_sets.csv")["set"].to_numpy()
    count = markers.shape[1]
    nameless, place = np.full(count, ""), np.arange(count, dtype=np.int32)
    alleles, autosomal = np.full((count, 2), ""), np.zeros(count, np.int8)
    sites = Sites(np.full(count, "1"), place, nameless, alleles, autosomal)
    panel = Panel.from_codes((2 * markers.T).astype(np.uint8), sites, [str(k) for k in range(599)])
    found = np.zeros((10, 4, 2))
    lasso = []
    for fold in range(10):
        train, test = np.flatnonzero(folds != fold + 1), np.flatnonzero(folds == fold + 1)
        kernels = Kernels(panel, train)
        for trait in EXPECTED:
            for index, model in enumerate((GBLUP(errors=False), GaussianKernel())):
                model.fit(panel, train, traits[train, trait], NONE, kernels)
                predicted = model.predict(panel, test, NONE)
                found[fold, trait, index] = np.corrcoef(predicted, traits[test, trait])[0, 1]
        first = Lasso().fit(panel, train, traits[train, 0], NONE, kernels)
        lasso.append(np.corrcoef(first.predict(panel, test, NONE), traits[test, 0])[0, 1])
    np.testing.assert_allclose(found.mean(0), [EXPECTED[trait] for trait in range(4)], atol=0.02)
    assert np.mean(lasso) > 0.40
