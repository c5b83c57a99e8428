from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from sewall.data.panel import AUTOSOME, HAPLOID, LETTERS, Calls, OddCalls, Panel, Sites, X, Y
from sewall.encode.alleles import OTHER, Individuals, dense
from sewall.errors import SewallError
from sewall.nets.chromosomes import MANY, ChromosomeNet, NetShape, interval_numbers
from sewall.nets.latents import PARTS, IntervalPool, QuickDropout, SharedLatents
from sewall.nets.windows import WindowLayer, chromosome_windows, opposite_codes, reference_and_alternative

LENGTH = 6
KINDS = {"1": AUTOSOME, "2": AUTOSOME, "X": X, "Y": Y, "MT": HAPLOID}
NUMBERS = {"1": 40, "2": 21, "X": 17, "Y": 4, "MT": 3}


def genome(seed: int, numbers: dict[str, int] = NUMBERS, indels: bool = True) -> Sites:
    rng = np.random.default_rng(seed)
    chrom = np.repeat([*numbers], [*numbers.values()])
    alleles = np.array([rng.choice(list(LETTERS), 2, replace=False) for _ in chrom]).astype("<U6")
    if indels:
        alleles[3::10] = [("AT", "A")] * len(alleles[3::10])
    position = np.concatenate([np.sort(rng.choice(10_000, n, replace=False)) for n in numbers.values()])
    kinds = np.array([KINDS[name] for name in chrom], np.int8)
    return Sites(chrom, position.astype(np.int32), np.full(len(chrom), ""), alleles, kinds)


def mixed_panel(seed: int, ploidy: int = 2, people: int = 40, indels: bool = True) -> Panel:
    """Males and females, missing calls, third alleles, half-hot letters and long alleles; diploid or tetraploid."""
    rng = np.random.default_rng(seed)
    sites = genome(seed, indels=indels)
    male = rng.random(people) < 0.5
    full = np.full(people, ploidy)
    copies = np.array([full, np.where(male, ploidy // 2, ploidy), male * ploidy // 2, full // 2], np.int8)
    number = copies[sites.inheritance]
    frequency = rng.uniform(0.1, 0.9, (len(sites), 1))
    carried = rng.binomial(number, frequency)
    odd = (rng.random(number.shape) < 0.08) & (number > 0)
    site, sample = np.nonzero(odd)
    mass = rng.dirichlet([0.4] * (4 + indels), len(site)) * number[odd][:, None]
    code = np.zeros((len(site), 5), np.float32)
    code[:, : mass.shape[1]] = mass
    steps = 12 if ploidy == 4 else 2
    codes = (carried * steps // np.maximum(number, 1)).astype(np.uint8)
    codes[(rng.random(codes.shape) < 0.1) & ~odd] = 255
    calls = Calls.pack(codes, 8, steps) if ploidy == 4 else Calls.pack(np.minimum(codes, 3))
    return Panel([str(k) for k in range(people)], sites, calls, copies, OddCalls(site, sample, code), {})


def batch_of(panel: Panel, rows: NDArray | None = None) -> dict[str, Tensor]:
    batch = Individuals(panel).batch(np.arange(len(panel)) if rows is None else rows)
    return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in batch.items()}


def without_odd(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: values for name, values in batch.items() if not name.startswith("odd")}


def without_odd_calls(panel: Panel) -> Panel:
    none = OddCalls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5), np.float32))
    return replace(panel, odd=none)


def net_of(panel: Panel, length: int = LENGTH, traits: int = 1, seed: int = 1, **options: object) -> ChromosomeNet:
    torch.manual_seed(seed)
    shape = replace(NetShape(), **options)
    net = ChromosomeNet(panel.sites, length, shape, {"traits": traits}, panel.calls.steps)
    net.standardise(batch_of(panel))
    return net.eval()


def first_layer(net: ChromosomeNet, batch: dict[str, Tensor], branch: int = 0) -> Tensor:
    inputs = net._inputs(batch)
    apart = (batch["copies"] - net.mean_copies) * net.shape.centred
    layer = net.branches[branch].layer
    return layer(inputs, apart, net.frequency, net._odd(batch, inputs))


def dense_first_layer(net: ChromosomeNet, panel: Panel, length: int = LENGTH) -> Tensor:
    """The same by a convolution over sites x letters, held in memory, window by window."""
    letters = dense(panel, np.arange(len(panel)), slice(None), other=True)
    code, layer = torch.from_numpy(letters.code), net.branches[0].layer
    if net.shape.centred:
        ref, alt = torch.from_numpy(reference_and_alternative(panel.sites)[:, :-1])
        mean = ref + net.frequency[:-1, None] * (alt - ref)
        copies = batch_of(panel)["copies"][:, panel.sites.inheritance]
        imputed = copies[..., None] * mean
        code = torch.where(torch.from_numpy(letters.called)[..., None], code, imputed)
        code = code - net.mean_copies[panel.sites.inheritance][:, None] * mean
    stride, out = max(length // 2, 1), []
    for number, (_, where) in enumerate(panel.sites.chromosomes()):
        start = where.start
        while True:
            block = int(layer.place[start]) // stride
            group = len(out) if net.shape.kernel == "local" else number * (net.shape.share != "all")
            kernel = whole_kernel(layer, panel.sites, block, group)
            seen = code[:, start : min(start + 2 * stride, where.stop), : kernel.shape[2]]
            out.append(torch.einsum("bta,tao->ob", seen, kernel[: seen.shape[1]]) + layer.bias[group])
            if start + 2 * stride >= where.stop:
                break
            start += stride
    return torch.stack(out)


def whole_kernel(layer: WindowLayer, sites: Sites, block: int, group: int) -> Tensor:
    """The kernel of the window that begins with a block: ``(length, letters, outputs)``."""
    blocks = (block, block + 1) if layer.own else (group, group)
    halves = [layer.kernel[:, b].chunk(2, dim=2)[k] for k, b in enumerate(blocks)]
    kernel = torch.cat(halves, 1).movedim(0, 1)
    if kernel.shape[1] > 1:
        return kernel
    codes = torch.from_numpy(reference_and_alternative(sites))[:, layer.site[block : block + 2].flatten()]
    sign = torch.from_numpy(opposite_codes(sites))[:, layer.site[block : block + 2].flatten()]
    return (codes * sign).sum(0).unsqueeze(2) * kernel


@pytest.mark.parametrize("ploidy", [2, 4])
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("kernel", "share"), [("local", "none"), ("shared", "none"), ("shared", "all")])
def test_the_first_layer_is_the_dense_convolution(ploidy: int, centred: bool, kernel: str, share: str) -> None:
    panel = mixed_panel(1, ploidy)
    assert len(panel.odd) > 100
    net = net_of(panel, centred=centred, kernel=kernel, share=share)
    torch.nn.init.normal_(net.branches[0].layer.bias)
    torch.testing.assert_close(first_layer(net, batch_of(panel)), dense_first_layer(net, panel), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel", ["local", "shared"])
@pytest.mark.parametrize("centred", [True, False])
def test_opposite_letters_are_the_dense_convolution_where_there_is_no_third(centred: bool, kernel: str) -> None:
    panel = without_odd_calls(mixed_panel(1))
    net = net_of(panel, centred=centred, kernel=kernel, letters="own")
    torch.nn.init.normal_(net.branches[0].layer.bias)
    torch.testing.assert_close(first_layer(net, batch_of(panel)), dense_first_layer(net, panel), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 5, 7, 100])
def test_windows_of_any_length_agree_with_the_dense_form(length: int) -> None:
    panel = mixed_panel(2)
    net = net_of(panel, length)
    torch.nn.init.normal_(net.branches[0].layer.bias)
    windows = chromosome_windows(panel.sites, length)
    torch.testing.assert_close(
        first_layer(net, batch_of(panel)), dense_first_layer(net, panel, length), rtol=1e-5, atol=1e-5
    )
    assert set(windows.site.ravel()) >= set(range(len(panel.sites)))


def test_windows_do_not_cross_chromosomes_and_cover_every_site() -> None:
    sites = genome(3)
    windows = chromosome_windows(sites, {"1": 10, "2": 4, "X": 8, "Y": 10, "MT": 2})
    rows = np.hstack([windows.site[windows.first], windows.site[windows.first + 1]])
    inside = rows < len(sites)
    for row, real, chromosome in zip(rows, inside, windows.chromosome, strict=True):
        assert {str(name) for name in sites.chrom[row[real]]} == {[*NUMBERS][chromosome]}
    assert sorted(windows.site[windows.site < len(sites)]) == list(range(len(sites)))  # each once
    assert [int(inside[windows.chromosome == k].sum(1).max()) for k in range(5)] == [10, 4, 8, 4, 2]
    assert (np.diff(rows[windows.chromosome == 0][:, 0]) == 5).all()


@pytest.mark.parametrize("length", [0, {"1": 5, "X": 4, "Y": 2, "MT": 2}])
def test_every_chromosome_needs_a_window(length: int | dict[str, int]) -> None:
    with pytest.raises(SewallError, match="no window length"):
        chromosome_windows(genome(3), length)


@pytest.mark.parametrize("bins", [0, 1_500])
@pytest.mark.parametrize(
    ("kernel", "share"),
    [("local", "none"), ("local", "deep"), ("shared", "none"), ("shared", "deep"), ("shared", "all")],
)
def test_one_alone_is_answered_as_in_a_crowd(share: str, bins: int, kernel: str) -> None:
    panel = mixed_panel(4)
    net = net_of(panel, share=share, bins=bins, kernel=kernel, het=True, mask=True, factors=(0.5, 1, 2), traits=3)
    together = net(batch_of(panel))
    alone = torch.cat([net(batch_of(panel, np.array([k]))) for k in range(len(panel))])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    assert together.shape == (len(panel), 3)
    assert together.std(0).min() > 1e-3


@pytest.mark.parametrize("share", ["none", "deep"])
def test_chromosomes_are_apart_up_to_their_latents(share: str) -> None:
    panel = mixed_panel(5)
    net = net_of(panel, share=share, hidden=0)
    batch = batch_of(panel)
    other = batch | {"codes": batch["codes"].clone()}
    other["codes"][:, 40:61] = (batch["codes"][:, 40:61] + 1) % 3  # chromosome 2
    moved = (net.embedding(other) - net.embedding(batch)).abs().amax(0).view(5, -1).amax(1) > 1e-6
    assert moved.tolist() == [False, True, False, False, False]


def test_what_stands_under_an_odd_call_is_not_read() -> None:
    panel = mixed_panel(6)
    codes = panel.calls.codes(slice(None)).copy()
    codes[panel.odd.site, panel.odd.sample] = 3
    nets = [net_of(p, het=True)(batch_of(p)) for p in (panel, replace(panel, calls=Calls.pack(codes)))]
    torch.testing.assert_close(*nets)


def test_swapping_ref_and_alt_changes_nothing() -> None:
    panel = mixed_panel(6)
    codes = panel.calls.codes(slice(None)).copy()
    codes[panel.odd.site, panel.odd.sample] = 1  # whatever stands here, the letters of the odd call count
    swap = np.random.default_rng(6).random(len(panel.sites)) < 0.5
    alleles = np.where(swap[:, None], panel.sites.alleles[:, ::-1], panel.sites.alleles)
    turned = np.where(swap[:, None] & (codes < 3), 2 - codes, codes)
    swapped = replace(panel, sites=replace(panel.sites, alleles=alleles), calls=Calls.pack(turned))
    for options in (
        {}, {"het": True, "mask": True}, {"centred": False}, {"kernel": "shared"}, {"letters": "own", "squares": True},
    ):  # fmt: skip
        before, after = (net_of(p, **options)(batch_of(p)) for p in (panel, swapped))
        torch.testing.assert_close(before, after, rtol=1e-5, atol=1e-5)


def test_codes_and_shares_are_the_same_input() -> None:
    panel = mixed_panel(7)
    net, batch = net_of(panel), batch_of(panel)
    share = {"share": torch.from_numpy(panel.shares(np.arange(len(panel)), slice(None)))}
    rest = {name: values for name, values in batch.items() if name != "codes"}
    torch.testing.assert_close(net(batch), net(rest | share))


def test_missing_is_the_mean_and_the_mask_tells() -> None:
    panel = mixed_panel(8)
    batch = without_odd(batch_of(panel))
    share = torch.from_numpy(np.nan_to_num(panel.shares(np.arange(len(panel)), slice(None))))
    hole, mean = share.clone(), share.clone()
    hole[:, 7], mean[:, 7] = torch.nan, net_of(panel).frequency[7]
    for mask in (False, True):
        net = net_of(panel, mask=mask)
        one, two = (net(batch | {"share": values}) for values in (hole, mean))
        assert torch.allclose(one, two, atol=1e-6) != mask


def test_heterozygosity_is_orthogonal_to_dosage() -> None:
    rng = np.random.default_rng(9)
    number = 4_000
    sites = genome(9, {"1": 5, "X": 5}, indels=False)
    frequency = np.array([0.1, 0.3, 0.5, 0.7, 0.9] * 2)[:, None]
    male = rng.random(number) < 0.5
    copies = np.array([np.full(number, 2), 2 - male, male, np.full(number, 1)], np.int8)
    n = copies[sites.inheritance]
    codes = (2 * rng.binomial(n, frequency) // n).astype(np.uint8)
    panel = Panel.from_codes(codes, sites, [str(k) for k in range(number)], copies)
    additive, het = net_of(panel, het=True)._inputs(batch_of(panel))[:, :-1]
    assert het.mean(1).abs().max() < 0.02
    assert (additive * het).mean(1).abs().max() < 0.02
    p, q = frequency[1, 0], 1 - frequency[1, 0]
    values = [float(het[1][codes[1] == d].mean()) for d in (0, 1, 2)]
    assert values == pytest.approx([-2 * p * p, 2 * p * q, -2 * q * q], abs=0.05)
    assert het[5:, male].abs().max() == 0  # one copy cannot be heterozygous


def test_a_net_with_heterozygosity_learns_dominance() -> None:
    rng = np.random.default_rng(10)
    sites = genome(10, {"1": 20, "2": 20}, indels=False)
    codes = rng.binomial(2, 0.5, (40, 1_000)).astype(np.uint8)
    panel = Panel.from_codes(codes, sites, [str(k) for k in range(1_000)])
    trait = torch.from_numpy((codes[::4] == 1).sum(0).astype(np.float32))
    trait = (trait - trait.mean()) / trait.std()
    fitted = {}
    learn, test = np.arange(800), np.arange(800, 1_000)
    for het in (False, True):
        net = net_of(panel, het=het, hidden=0, dropout=0.0, latent_dropout=0.0)
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
        batch = batch_of(panel, learn)
        for _ in range(60):
            optimizer.zero_grad()
            ((net.train()(batch)[:, 0] - trait[learn]) ** 2).mean().backward()
            optimizer.step()
        answer = net.eval()(batch_of(panel, test))[:, 0].detach()
        fitted[het] = float(torch.corrcoef(torch.stack([answer, trait[test]]))[0, 1])
    assert fitted[True] > max(0.9, fitted[False] + 0.05)


def test_squares_learn_products_of_neighbours() -> None:
    rng = np.random.default_rng(20)
    sites = genome(20, {"1": 24}, indels=False)
    codes = rng.binomial(2, 0.5, (24, 1_200)).astype(np.uint8)
    panel = Panel.from_codes(codes, sites, [str(k) for k in range(1_200)])
    trait = torch.from_numpy(((codes[2:20:3] - 1.0) * (codes[4:22:3] - 1.0)).sum(0).astype(np.float32))
    fitted = {}
    for squares in (False, True):
        net = net_of(panel, squares=squares, dropout=0.0, latent_dropout=0.0)
        optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
        for _ in range(40):
            optimizer.zero_grad()
            ((net.train()(batch_of(panel, np.arange(900)))[:, 0] - trait[:900]) ** 2).mean().backward()
            optimizer.step()
        answer = net.eval()(batch_of(panel, np.arange(900, 1_200)))[:, 0].detach()
        fitted[squares] = float(torch.corrcoef(torch.stack([answer, trait[900:]]))[0, 1])
    assert fitted[True] > 0.8
    assert 1 - fitted[True] ** 2 < 0.5 * (1 - fitted[False] ** 2)


@pytest.mark.parametrize(
    ("individuals", "heterozygous", "odd", "expected"),
    [
        (MANY, 0.3, False, NetShape(het=True, squares=True, letters="own")),
        (MANY, 0.01, True, NetShape(squares=True)),
        (MANY - 1, 0.3, False, NetShape(letters="own")),
    ],
)
def test_the_form_follows_the_panel(individuals: int, heterozygous: float, odd: bool, expected: NetShape) -> None:
    assert NetShape.suited(individuals, heterozygous, odd) == expected


def test_a_hidden_layer_expresses_what_happens_between_chromosomes() -> None:
    panel = mixed_panel(11)
    batch = without_odd(batch_of(panel, np.arange(2)))
    for hidden, expressed in ((0, False), (32, True)):
        net = net_of(panel, hidden=hidden)
        answers = []
        for first in (0, 1):
            for second in (0, 1):
                codes = batch["codes"][:1].clone()
                codes[:, :40], codes[:, 40:61] = 2 * first, 2 * second
                answers.append(net(batch | {"codes": codes, "copies": batch["copies"][:1]}).item())
        interaction = answers[0] - answers[1] - answers[2] + answers[3]
        assert (abs(interaction) > 1e-5) == expressed


def test_intervals_average_their_windows_and_the_empty_are_neutral() -> None:
    sites = genome(12, {"1": 30, "2": 12}, indels=False)
    windows = chromosome_windows(sites, 4)
    numbers = interval_numbers(sites, 300)
    pool = IntervalPool(windows, 300, numbers, 2)
    torch.nn.init.constant_(pool.neutral, 7.0)
    values = torch.randn(len(windows), 2, 3)
    out = pool(values)
    assert len(out) == sum(numbers) == len(pool.chromosome)
    for interval in range(len(out)):
        chromosome = int(pool.chromosome[interval])
        start = 300 * (interval - sum(numbers[:chromosome]))
        here = (windows.chromosome == chromosome) & (windows.centre // 300 == start // 300)
        expected = values[here].mean(0) if here.any() else torch.full((2, 3), 7.0)
        torch.testing.assert_close(out[interval], expected)


def test_windows_beyond_the_intervals_belong_to_the_last() -> None:
    sites = genome(12, {"1": 30}, indels=False)
    far = replace(sites, position=np.r_[-9, np.linspace(100, 9_000, 29)].astype(np.int32))
    windows = chromosome_windows(far, 2)
    pool = IntervalPool(windows, 1_000, (4,), 1)
    assert windows.centre.min() < 1_000 and windows.centre.max() > 8_000
    assert pool.number.flatten().tolist() == np.bincount(np.clip(windows.centre // 1_000, 0, 3)).tolist()


def test_shared_layers_give_alike_chromosomes_alike_latents() -> None:
    layer = SharedLatents(np.repeat([0, 1, 2], [12, 12, 3]), 4, 5)
    half = torch.randn(12, 4, 2)
    out = layer(torch.cat([half, half, torch.randn(3, 4, 2)])).view(3, 5, 2)
    torch.testing.assert_close(out[0], out[1])
    assert (out[2] - out[0]).abs().max() > 1e-3
    assert layer.size[2 * PARTS :].sum() == 3


@pytest.mark.parametrize(("bins", "share"), [(2_000, "none"), (0, "deep"), (2_000, "all")])
def test_another_set_of_sites_fits_the_same_network(bins: int, share: str) -> None:
    panel = mixed_panel(13, indels=False)
    net = net_of(panel, kernel="shared", bins=bins, share=share)
    kept = np.sort(np.random.default_rng(13).choice(len(panel.sites), 60, replace=False))
    fewer = panel.take_sites(kept)
    moved = net.moved_to(fewer.sites, LENGTH).eval()
    moved.standardise(batch_of(fewer))
    assert moved(batch_of(fewer)).isfinite().all()
    again = net.moved_to(panel.sites, LENGTH).eval()
    again.standardise(batch_of(panel))
    torch.testing.assert_close(again(batch_of(panel)), net(batch_of(panel)))


def test_networks_that_cannot_move_say_why() -> None:
    panel = mixed_panel(14, indels=False)
    with pytest.raises(SewallError, match="absent sites missing"):
        net_of(panel, bins=2_000).moved_to(panel.sites, LENGTH)
    net = net_of(panel, kernel="shared", bins=2_000)
    with pytest.raises(SewallError, match="rename them"):
        net.moved_to(panel.take_sites(np.arange(30)).sites, LENGTH)
    with pytest.raises(SewallError, match="its window length"):
        net.moved_to(panel.sites, 2 * LENGTH)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel": "tied"},
        {"letters": "some"},
        {"share": "some"},
        {"share": "all", "kernel": "local"},
        {"hidden": 0, "direct": False},
    ],
)
def test_shapes_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(SewallError):
        replace(NetShape(), **options)


def test_the_article_reads_two_hot_as_it_stands() -> None:
    panel = mixed_panel(15)
    torch.manual_seed(1)
    net = ChromosomeNet(panel.sites, LENGTH, NetShape.article()).eval()
    batch = batch_of(panel)
    before = net(batch)
    net.standardise(batch)
    torch.testing.assert_close(net(batch), before)
    assert net.embedding(batch).shape == (len(panel), NetShape.article().hidden)
    assert net.branches[0].layer.kernel.shape[1] == len(NUMBERS)


def test_panels_without_alleles_are_read_by_their_counted_allele() -> None:
    rng = np.random.default_rng(16)
    sites = genome(16, {"1": 30}, indels=False)
    sites = replace(sites, alleles=np.full((30, 2), ""))
    panel = Panel.from_codes(rng.integers(3, size=(30, 20)).astype(np.uint8), sites, [str(k) for k in range(20)])
    net = net_of(panel)
    assert len(net.branches[0].layer.kernel) == OTHER + 1
    assert net(batch_of(panel)).std() > 1e-3


def test_gradients_reach_every_weight_that_is_read() -> None:
    panel = mixed_panel(17)
    net = net_of(panel, het=True, mask=True, factors=(0.5, 1), kernel="shared", share="deep", bins=2_000)
    net(batch_of(panel)).square().sum().backward()
    for name, value in net.named_parameters():
        assert value.grad is not None, name
        assert value.grad.abs().sum() > 0 or name.endswith("neutral"), name


def test_a_seed_decides_the_weights() -> None:
    panel = mixed_panel(18)
    one, same, other = (net_of(panel, seed=seed)(batch_of(panel)) for seed in (1, 1, 2))
    torch.testing.assert_close(one, same, rtol=0, atol=0)
    assert (one - other).abs().max() > 1e-3


def test_only_weights_and_statistics_are_in_the_state() -> None:
    net = net_of(mixed_panel(19))
    kept = {name for name, _ in net.named_buffers() if name in net.state_dict()}
    assert kept == {"frequency", "het", "mean_copies", "head.scale"}
    assert isinstance(net.branches[0].layer, WindowLayer)


@pytest.mark.parametrize("rate", [0.3, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(rate: float) -> None:
    torch.manual_seed(1)
    values, layer = torch.ones(301, 333), QuickDropout(rate)
    dropped = layer(values)
    assert (dropped == 0).float().mean().item() == pytest.approx(rate, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    assert (dropped == 0).float().mean(0).std() < 0.05  # not by column
    torch.testing.assert_close(layer.eval()(values), values)
