from __future__ import annotations

import numpy as np
import torch

from sewall.nets.potentials import Potentials


def potentials() -> Potentials:
    torch.manual_seed(4)
    descriptors = np.random.default_rng(4).standard_normal((2, 5, 3)).astype(np.float32)
    return Potentials(descriptors, channels=4, width=8)


def test_mean_value_of_the_events_and_their_number() -> None:
    net = potentials()
    out = net(torch.tensor([[[1.0, 0, 0, 0, 3], [0, 0, 2, 0, 0]]]))[0]
    value = net.value(net.descriptors)
    torch.testing.assert_close(out[:4], (value[0, 0] + 3 * value[0, 4]) / 4)
    torch.testing.assert_close(out[4:8], value[1, 2])
    torch.testing.assert_close(out[8:], torch.log1p(torch.tensor([4.0, 2.0])))
    assert len(out) == net.outputs


def test_no_events_are_zeros_not_nan() -> None:
    assert (potentials()(torch.zeros(3, 2, 5)) == 0).all()


def test_gradients_reach_the_values() -> None:
    net = potentials()
    net(torch.rand(6, 2, 5)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in net.parameters())


def test_descriptors_are_not_stored_with_the_weights() -> None:
    assert set(potentials().state_dict()) == {f"value.{k}.{what}" for k in (0, 2, 4) for what in ("weight", "bias")}
