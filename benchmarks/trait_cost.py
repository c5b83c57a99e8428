"""Traits: memory and speed of training from packed genotypes, against letters spelled out.

    python benchmarks/trait_cost.py [--people 5000] [--sites 50000]
    SEWALL_DATA=... python benchmarks/trait_cost.py --plain    # also one network of mouse_hs1940, and its parts

Peak memory of one epoch of `sewall.train.train_network`, checkpoints and all, in a process that does nothing else; and
individuals per second in training steps (encoding, forward, backward, AdamW) on one thread, as in training, beside the
same network with a first layer over individuals x sites x letters. Both forms take turns and give the same answers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from reporting import write
from torch import Tensor, nn

from sewall.data.panel import AUTOSOME, LETTERS, Calls, Panel, Sites
from sewall.data.panels.reading import open_panel
from sewall.encode.alleles import Individuals
from sewall.jobs.trait.networks import FEW
from sewall.jobs.trait.people import People
from sewall.jobs.trait.task import TraitTask
from sewall.nets.chromosomes import ChromosomeNet, NetShape
from sewall.nets.windows import reference_and_alternative
from sewall.task import Examples, Target
from sewall.train import Member, TrainConfig, train_network

CHROMOSOMES = 20
WINDOW = 30
STEPS, TURNS = 10, 6
TUNE = 0.12  # share of the individuals that decides when to stop
MEGABYTE = 1e6
SHAPE = NetShape(letters="own")


def main() -> None:
    arguments = _parsed()
    if arguments.memory:
        print(json.dumps(memory(arguments.people, arguments.sites)))
        return
    torch.set_num_threads(1)
    command = [sys.executable, __file__, "--memory", "--people", str(arguments.people), "--sites", str(arguments.sites)]
    used = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    print(
        f"{arguments.people:,} individuals x {arguments.sites:,} sites: packed {used['packed']:.0f} MB; peak "
        f"{used['peak']:.0f} MB, of which the libraries took {used['libraries']:.0f} before anything was read"
    )
    results = {"people": arguments.people, "sites": arguments.sites, "window": WINDOW, "megabytes": used}
    results["speed"] = speed(random_panel(arguments.people, arguments.sites, 1))
    if arguments.plain:
        results["mouse_hs1940"] = plain(arguments.cache)
    write(arguments.name, results)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What training costs.")
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--sites", type=int, default=50_000)
    parser.add_argument("--plain", action="store_true", help="also time mouse_hs1940")
    parser.add_argument("--memory", action="store_true", help="measure the memory of this process and nothing else")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/panels"), help="folder of copies")
    parser.add_argument("--name", default="trait_cost", help="of the file of results")
    return parser.parse_args()


def random_panel(people: int, sites: int, seed: int) -> Panel:
    """Return genotypes in Hardy-Weinberg proportions, packed block by block."""
    rng = np.random.default_rng(seed)
    first = rng.integers(4, size=sites)
    alleles = np.array([*LETTERS])[np.column_stack([first, (first + rng.integers(1, 4, sites)) % 4])]
    chrom = np.repeat(np.arange(CHROMOSOMES), -(-sites // CHROMOSOMES))[:sites].astype(str)
    inheritance = np.full(sites, AUTOSOME, np.int8)
    places = Sites(chrom, np.arange(sites, dtype=np.int32), np.full(sites, ""), alleles, inheritance)
    codes = Calls(np.empty((sites, -(-people // 4)), np.uint8), people)
    for start in range(0, sites, 500):
        share = rng.uniform(0.05, 0.95, (len(codes.data[start : start + 500]), 1))
        drawn = rng.binomial(2, share, (len(share), people)).astype(np.uint8)
        codes.data[start : start + 500] = Calls.pack(drawn).data
    panel = Panel.from_codes(np.zeros((1, people), np.uint8), places.take(np.zeros(1, int)), [*map(str, range(people))])
    return Panel(panel.sample_ids, places, codes, panel.copies, panel.odd, {})


def memory(people: int, sites: int) -> dict[str, float]:
    """Return megabytes: of the packed calls, at the peak, and of the libraries before there were any calls."""
    libraries = _peak()
    panel = random_panel(people, sites, 1)
    examples = _examples(panel, np.random.default_rng(1).standard_normal(people))
    _trained(examples, TrainConfig(epochs=1, batch=FEW.batch))
    return {"packed": panel.calls.data.nbytes / MEGABYTE, "peak": _peak(), "libraries": libraries}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE


def _examples(panel: Panel, target: NDArray[np.float64]) -> Examples:
    return Examples(pd.DataFrame({"sample_id": panel.sample_ids}), People(panel, np.zeros((len(panel), 0))), target)


def _trained(examples: Examples, config: TrainConfig) -> int:
    """Train one network as `sewall trait train` does and return the number of its epochs."""
    people = examples.source
    assert isinstance(people, People)
    task = TraitTask(Target("trait", "", "identity", -9, 9), people.panel.sites, SHAPE, WINDOW)
    rows = np.random.default_rng(1).permutation(len(people))
    tune = round(TUNE * len(rows))
    with TemporaryDirectory() as folder:
        member = Member(1, np.sort(rows[tune:]), np.sort(rows[:tune]))
        return len(train_network(task, examples, member, config, Path(folder))[1])


class DenseNet(nn.Module):
    """The same network with its first layer in dense form: individuals x sites x letters, window by window.

    Args:
        net: gives the weights, so that both forms answer alike.
        sites: of the panel.
    """

    def __init__(self, net: ChromosomeNet, sites: Sites) -> None:
        super().__init__()
        layer, self.net = net.branches[0].layer, net
        self.site, self.first = layer.site.flatten(), layer.first
        self.ref, self.alt = torch.from_numpy(reference_and_alternative(sites))  # (sites + 1, letters)
        self.mean = 2 * torch.lerp(self.ref, self.alt, net.frequency.unsqueeze(1))
        own = layer.kernel[0].detach() * layer.step[0] / 2  # (blocks, stride, 2 x outputs), of ALT
        letters = (self.alt - self.ref)[layer.site].unsqueeze(3) * own.unsqueeze(2)
        before, after = letters.chunk(2, dim=3)
        self.kernel = nn.Parameter(torch.cat([before[:-1], after[1:]], 1).flatten(1, 2))
        self.bias = nn.Parameter(layer.bias.detach().clone())

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the answers to a batch."""
        share = nn.functional.pad(batch["codes"].float(), (0, 1)).unsqueeze(2) / 2
        two_hot = (2 * torch.lerp(self.ref, self.alt, share) - self.mean)[:, self.site].flatten(1)
        letters = self.kernel.shape[1]
        seen = two_hot.unfold(1, letters, letters // 2).transpose(0, 1)  # (windows and seams, batch, places x letters)
        windows = torch.bmm(seen, self.kernel).transpose(1, 2)[self.first] + self.bias
        kept = self.net.dropout(self.net.branches[0].rest(windows).T)
        out: Tensor = self.net.head(torch.cat([kept, self.net.hidden(kept)], 1))
        return out


def speed(panel: Panel) -> dict[str, Any]:
    """Return and print individuals per second of both forms, the median of several turns, and their ratio."""
    individuals, rng = Individuals(panel), np.random.default_rng(1)
    torch.manual_seed(1)
    net = ChromosomeNet(panel.sites, WINDOW, SHAPE, steps=panel.calls.steps)
    net.standardise(_tensors(individuals, np.arange(min(1_000, len(panel)))))
    forms: dict[str, nn.Module] = {"packed": net, "dense": DenseNet(net, panel.sites)}
    some = _tensors(individuals, np.arange(FEW.batch))
    with torch.no_grad():
        one, two = (form.eval()(some) for form in forms.values())
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
    optimizers = {name: torch.optim.AdamW(form.train().parameters()) for name, form in forms.items()}
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(TURNS):
        for name, form in forms.items():
            start = time.perf_counter()
            for _ in range(STEPS):
                batch = _tensors(individuals, rng.integers(len(panel), size=FEW.batch))
                _step(form, batch, optimizers[name])
            seconds[name].append(time.perf_counter() - start)
    rate = {name: STEPS * FEW.batch / float(np.median(taken)) for name, taken in seconds.items()}
    ratios = [dense / packed for packed, dense in zip(seconds["packed"], seconds["dense"], strict=True)]
    print("individuals per second: " + ", ".join(f"{name} {value:,.0f}" for name, value in rate.items()))
    print(f"packed is {np.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f} by turn)")
    return {"individuals_per_second": rate, "ratio": float(np.median(ratios)), "ratios": ratios}


def _tensors(individuals: Individuals, rows: NDArray[np.intp]) -> dict[str, Tensor]:
    return {key: torch.from_numpy(value) for key, value in individuals.batch(rows).items()}


def _step(net: nn.Module, batch: dict[str, Tensor], optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    net(batch).square().mean().backward()
    optimizer.step()


def plain(cache: Path) -> dict[str, Any]:
    """Return and print the seconds of one network of CD8 in mouse_hs1940, and milliseconds by part of a step."""
    folder = Path(os.environ["SEWALL_DATA"]) / "mouse_hs1940"
    fam = pd.read_csv(folder / "mouse_hs1940.fam", sep=r"\s+", header=None, dtype=str).set_index(1)
    trait = pd.to_numeric(fam[5], errors="coerce").dropna()
    panel = open_panel(folder / "mouse_hs1940.bed", cache, samples=[*trait.index], autosomes=19)
    start = time.perf_counter()
    epochs = _trained(_examples(panel, trait.to_numpy(float)), FEW)
    seconds = time.perf_counter() - start
    parts = _parts(panel)
    steps = epochs * int(len(panel) * (1 - TUNE)) // FEW.batch
    inside = ", ".join(f"{name} {value:.1f}" for name, value in parts.items())
    print(f"mouse_hs1940, {len(panel):,} x {len(panel.sites):,}: {epochs} epochs, {seconds:.1f} s; ms a step: {inside}")
    return {
        "n": len(panel),
        "sites": len(panel.sites),
        "epochs": epochs,
        "seconds": seconds,
        "steps": steps,
        "ms": parts,
    }


def _parts(panel: Panel) -> dict[str, float]:
    individuals, rng = Individuals(panel), np.random.default_rng(1)
    net = ChromosomeNet(panel.sites, WINDOW, SHAPE, steps=panel.calls.steps)
    net.standardise(_tensors(individuals, np.arange(len(panel))))
    optimizer = torch.optim.AdamW(net.parameters())
    taken: dict[str, list[float]] = {"encoding": [], "forward": [], "backward": [], "optimiser": []}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = work()
        taken[name].append(1_000 * (time.perf_counter() - start))
        return found

    for _ in range(5 * STEPS):
        rows = rng.integers(len(panel), size=FEW.batch)
        batch = timed("encoding", lambda rows=rows: _tensors(individuals, rows))
        optimizer.zero_grad()
        loss = timed("forward", lambda batch=batch: net(batch).square().mean())
        timed("backward", loss.backward)
        timed("optimiser", optimizer.step)
    return {name: float(np.median(values)) for name, values in taken.items()}


if __name__ == "__main__":
    main()
