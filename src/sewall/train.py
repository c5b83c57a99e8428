"""Training of one network: Lightning drives, stops early, keeps the best, and goes on after a kill."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from sewall.nets.discrepancy import discrepancy
from sewall.nets.network import Network
from sewall.task import Examples, Rows, SimpleModel, Task
from sewall.workers import worker_processes

Floats = np.ndarray
Trained = tuple[Network, list[dict[str, float]]]

TOGETHER = 16  # batches whose examples are put together by size


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained.

    Attributes:
        epochs: passes over the training rows, at most.
        patience: epochs without a better tuning loss after which training stops.
        learning_rate: peak of the one-cycle schedule (Smith & Topin 2019).
        weight_decay: of AdamW (Loshchilov & Hutter 2019); strong, since examples are dear and their noise is large.
        batch: examples per step.
        members: networks in the ensemble.
        align: weight of the discrepancy between the embeddings of training examples and of unlabelled ones, from 0 at
            the beginning to this.
        fused: whether a step of the optimiser is one pass over all weights, which pays where they are millions.
        device: ``cpu`` or ``auto`` (an accelerator where there is one).
    """

    epochs: int = 24
    patience: int = 8
    learning_rate: float = 4e-3
    weight_decay: float = 0.3
    batch: int = 128
    members: int = 5
    align: float = 0.0
    fused: bool = False
    device: str = "cpu"


Batch = tuple[dict[str, Tensor], Tensor, Tensor, dict[str, Tensor]]


class _Batches(IterableDataset):
    """Batches of encoded rows, in an order that depends on the seed and the epoch alone.

    Each comes with its ``(batch, traits)`` target, with the ``(batch, answers)`` that the network's are added to, and
    with as many unlabelled examples, drawn at random, where there are such.
    """

    def __init__(
        self, task: Task, examples: Examples, rows: Rows, learnt: tuple[Floats, Floats], size: int, seed: int | None,
        unlabelled: Examples | None = None,
    ) -> None:  # fmt: skip
        self.task, self.examples, self.rows, self.size = task, examples, rows, size
        self.learnt = [torch.tensor(values, dtype=torch.float32) for values in learnt]
        self.seed, self.epoch, self.unlabelled = seed, 0, unlabelled
        self.others = np.zeros(0, np.intp) if unlabelled is None else np.flatnonzero(task.usable(unlabelled))

    def __len__(self) -> int:
        whole = len(self.rows) // self.size
        return max(whole, 1) if self.seed is not None else -(-len(self.rows) // self.size)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng([self.seed or 0, self.epoch, 1])
        for part in self._parts():
            target, offset = (values[part] for values in self.learnt)
            yield self.task.tensors(self.examples, part), target, offset, self._drawn(len(part), rng)

    def _drawn(self, number: int, rng: np.random.Generator) -> dict[str, Tensor]:
        if self.unlabelled is None:
            return {}
        return self.task.tensors(self.unlabelled, rng.choice(self.others, number))

    def _parts(self) -> list[Rows]:
        """Return the rows of each batch; where sizes differ, alike ones out of the next few batches come together."""
        sizes = self.examples.sizes
        if self.seed is None:
            return _cut(self.rows if sizes is None else _by_size(self.rows, sizes), self.size)
        rng = np.random.default_rng([self.seed, self.epoch])
        rows = rng.permutation(self.rows)[: len(self) * self.size]
        if sizes is None:
            return _cut(rows, self.size)
        alike = [_by_size(part, sizes) for part in _cut(rows, TOGETHER * self.size)]
        parts = _cut(np.concatenate(alike), self.size)
        return [parts[number] for number in rng.permutation(len(parts))]


def _cut(rows: Rows, size: int) -> list[Rows]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _by_size(rows: Rows, sizes: NDArray[np.int64]) -> Rows:
    return rows[np.argsort(sizes[rows], kind="stable")]


class _Fit(LightningModule):
    def __init__(self, network: Network, config: TrainConfig, steps: int) -> None:
        super().__init__()
        self.network, self.config, self.steps = network, config, steps
        self.history: list[dict[str, float]] = []
        self._sums = [0.0, 0]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.history = checkpoint["history"]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["history"] = self.history

    def training_step(self, batch: Batch, index: int) -> Tensor:
        tensors, target, offset, others = batch
        if others:  # in one pass, so that both are normalised alike
            tensors = {name: torch.cat([values, others[name]]) for name, values in tensors.items()}
        hidden = self.network.embedding(tensors)
        own = hidden[: len(target)]
        loss: Tensor = self.network.head.loss(self.network.head(own) + offset, target)
        self._sums[0] += loss.item()
        self._sums[1] += 1
        return loss + self._alignment() * discrepancy(own, hidden[len(target) :]) if others else loss

    def _alignment(self) -> float:
        """Return the weight of the discrepancy at this step; it rises (Ganin et al. 2016, J Mach Learn Res 17:59)."""
        done = self.global_step / (self.steps * self.config.epochs)
        return self.config.align * (2 / (1 + math.exp(-10 * done)) - 1)

    def validation_step(self, batch: Batch, index: int) -> None:
        tensors, target, offset, _ = batch
        loss = self.network.head.loss(self.network(tensors) + offset, target)
        self.log("tune", loss, batch_size=len(target), on_epoch=True)

    def on_validation_epoch_end(self) -> None:
        tune = float(self.trainer.callback_metrics["tune"])
        train = self._sums[0] / max(self._sums[1], 1)
        self.history.append({"epoch": self.current_epoch + 1, "train": train, "tune": tune})
        self._sums = [0.0, 0]

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay,
            fused=self.config.fused,
        )  # fmt: skip
        cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.config.learning_rate, total_steps=self.steps * self.config.epochs, pct_start=0.15
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}


class _Epoch(Callback):
    """Fixes all chance of an epoch by its number, so that a resumed training repeats an unbroken one."""

    def __init__(self, batches: _Batches, seed: int, progress: Any) -> None:
        self.batches, self.seed, self.progress = batches, seed, progress

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        stopping = trainer.early_stopping_callback
        if isinstance(stopping, EarlyStopping) and stopping.wait_count >= stopping.patience:
            trainer.should_stop = True  # a training that had stopped early is over, not to be gone on with

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.batches.epoch = trainer.current_epoch

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, index: int) -> None:
        if index == 0:  # not before: loaders draw a number when they begin, at another moment after a resume
            torch.manual_seed(int(np.random.SeedSequence([self.seed, trainer.current_epoch]).generate_state(1)[0]))

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self.progress is not None:
            self.progress(1)


@dataclass(frozen=True)
class Member:
    """One network of an ensemble: what it learns from.

    Attributes:
        seed: decides the first weights, the order of the rows and the dropout.
        train, tune: rows to learn from, and rows that decide when to stop.
        offset: ``(examples, answers)`` what the network's answers are added to, on the learning scale: what is known
            already and not for the network to learn.
    """

    seed: int
    train: Rows
    tune: Rows
    offset: Floats | None = None


@dataclass(frozen=True)
class Training:
    """What the members of an ensemble share; can be sent to another process.

    Attributes:
        task: the job.
        examples: labelled examples.
        config: budget.
        folder: where checkpoints lie, one folder per member; an unfinished training there goes on.
        unlabelled: what the embeddings are aligned with, where `TrainConfig.align` says so.
    """

    task: Task
    examples: Examples
    config: TrainConfig
    folder: Path
    unlabelled: Examples | None = None

    def member(self, number: int, member: Member) -> Trained:
        """Train one member on one thread, whatever the machine, so that its weights depend on the seed alone."""
        torch.set_num_threads(1)
        folder = self.folder / f"member{number}"
        return train_network(self.task, self.examples, member, self.config, folder, unlabelled=self.unlabelled)

    def simple(self, model: SimpleModel, rows: Rows) -> SimpleModel:
        """Fit a simple model to *rows*."""
        return model.fit(self.examples, rows)


_training: Training | None = None  # of a worker process: sent once, not with every member


def _receive(training: Training) -> None:
    global _training
    _training = training


def _of_this_training(step: str, *given: Any) -> Any:
    return getattr(_training, step)(*given)


def train_ensemble(training: Training, members: list[Member], workers: int, progress: Any = None) -> list[Trained]:
    """Train all members, *workers* at a time; an unfinished training in the folder goes on.

    Args:
        training: what they share.
        members: what each learns from.
        workers: processes; with one, this process does the work.
        progress: called with the epochs of a member when it is done.
    """
    return train_with_simple(training, members, [], np.zeros(0, np.intp), workers, progress)[0]


def train_with_simple(
    training: Training, members: list[Member], models: list[SimpleModel], rows: Rows, workers: int, progress: Any = None
) -> tuple[list[Trained], list[SimpleModel]]:
    """Train all members, and fit simple models to *rows* on the processors that these leave idle.

    The last of the models, which as a rule takes longest, is begun first. What comes back is in the order given.
    """
    done = []
    with _executor(training, min(workers, len(members) + len(models))) as submit:
        waiting = [submit("member", number, member) for number, member in enumerate(members)]
        fitted = [submit("simple", model, rows) for model in reversed(models)]
        for trained in waiting:
            done.append(trained())
            if progress is not None:
                progress(training.config.epochs)
        return done, [fit() for fit in fitted][::-1]


@contextmanager
def _executor(training: Training, workers: int) -> Iterator[Any]:
    if workers <= 1:
        threads = torch.get_num_threads()
        yield lambda step, *given: partial(getattr(training, step), *given)
        torch.set_num_threads(threads)
        return
    with worker_processes(training.task, workers, _receive, training) as executor:
        yield lambda step, *given: executor.submit(_of_this_training, step, *given).result


def train_network(
    task: Task, examples: Examples, member: Member, config: TrainConfig, folder: Path, progress: Any = None,
    unlabelled: Examples | None = None,
) -> Trained:  # fmt: skip
    """Train one network and return the one of its best epoch, with the losses of every epoch.

    Args:
        task: the job.
        examples: labelled examples.
        member: what to learn from.
        config: budget.
        folder: where checkpoints lie; where it holds an unfinished training, that one goes on.
        progress: called with 1 after each epoch.
        unlabelled: what the embedding is aligned with, where the budget says so.
    """
    assert examples.target is not None
    torch.manual_seed(member.seed)
    network = task.network(examples, member.train)
    network.standardise(task.tensors(examples, member.train[: network.most_standardised]))
    target = _columns(task.target.forward(examples.target))
    offset = np.zeros((len(target), 1)) if member.offset is None else _columns(member.offset)
    network.head.standardise(*(torch.tensor(values[member.train], dtype=torch.float32) for values in (target, offset)))
    others = unlabelled if config.align else None
    batches = _Batches(task, examples, member.train, (target, offset), config.batch, member.seed, others)
    held = _Batches(task, examples, member.tune, (target, offset), network.most_at_once, None)
    module = _Fit(network, config, len(batches))
    best = ModelCheckpoint(folder, filename="best", monitor="tune", enable_version_counter=False)
    latest = ModelCheckpoint(folder, filename="last", enable_version_counter=False)  # of every epoch, better or not
    stopping = EarlyStopping("tune", patience=config.patience)
    trainer = _trainer(config, [best, latest, stopping, _Epoch(batches, member.seed, progress)], folder)
    last = folder / "last.ckpt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on loader workers does not fit encoded batches
        trainer.fit(
            module, DataLoader(batches, batch_size=None), DataLoader(held, batch_size=None),
            ckpt_path=last if last.exists() else None, weights_only=False,
        )  # fmt: skip
    module.load_state_dict(torch.load(best.best_model_path, weights_only=False)["state_dict"])
    return network.cpu().eval(), module.history


def _columns(values: Floats) -> Floats:
    return values.reshape(len(values), -1)


def _trainer(config: TrainConfig, callbacks: list[Callback], folder: Path) -> Trainer:
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return Trainer(
        max_epochs=config.epochs, accelerator=config.device, devices=1, callbacks=callbacks, logger=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, gradient_clip_val=1.0,
        default_root_dir=folder,
    )  # fmt: skip


@torch.no_grad()
def apply_network(network: Network, task: Task, examples: Examples, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(rows, quantiles)`` on the learning scale and ``(rows, features)`` of the embedding."""
    order = np.arange(len(rows)) if examples.sizes is None else np.argsort(examples.sizes[rows], kind="stable")
    quantiles, embedding = [], []
    for start in range(0, len(rows), network.most_at_once):
        batch = task.tensors(examples, rows[order[start : start + network.most_at_once]])
        hidden = network.embedding(batch)
        embedding.append(hidden.numpy())
        quantiles.append(network.head(hidden).numpy())
    back = np.argsort(order)
    return np.concatenate(quantiles)[back], np.concatenate(embedding)[back]
