from __future__ import annotations

import numpy as np
import pytest
import torch

from sewall.nets.heads import DECILES, QuantileHead, pinball_loss


def test_quantiles_rise_whatever_the_embedding() -> None:
    torch.manual_seed(1)
    head = QuantileHead(5)
    quantiles = head(50 * torch.randn(200, 5))
    assert quantiles.shape == (200, len(DECILES))
    assert (quantiles.diff(dim=1) >= 0).all()


def test_pinball_loss_by_hand() -> None:
    quantiles, target = torch.tensor([[0.0, 2.0], [1.0, 5.0]]), torch.tensor([1.0, 0.0])
    # Above the quantile by d costs level * d, below (1 - level) * d: .25*1, .25*1; .75*1, .25*5.
    assert pinball_loss(quantiles, target, (0.25, 0.75)).item() == pytest.approx((0.25 + 0.25 + 0.75 + 1.25) / 4)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_pinball_loss_is_least_at_the_quantile(level: float) -> None:
    draws = torch.from_numpy(np.random.default_rng(2).exponential(size=20_001)).float()
    candidates = torch.quantile(draws, torch.tensor([level - 0.04, level, min(level + 0.04, 1.0)]))
    losses = [pinball_loss(c.expand(len(draws), 1), draws, (level,)).item() for c in candidates]
    assert int(np.argmin(losses)) == 1


def test_a_head_learns_the_quantiles_of_noise() -> None:
    torch.manual_seed(3)
    head, levels = QuantileHead(1, (0.1, 0.5, 0.9)), (0.1, 0.5, 0.9)
    optimizer, nothing = torch.optim.Adam(head.parameters(), 0.05), torch.zeros(512, 1)
    for _ in range(400):
        loss = pinball_loss(head(nothing), torch.randn(512), levels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(head(nothing)[0].detach().numpy(), [-1.28, 0, 1.28], atol=0.15)
