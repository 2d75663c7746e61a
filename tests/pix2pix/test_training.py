"""Training: published steps, resumable to the last bit, the same on two processes as on one."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from solodark.errors import ModelFileError, SettingError, SolodarkWarning
from solodark.formats.network_file import read_tensors, write_tensors
from solodark.pix2pix import NetworkSettings, Scaling, TrainSettings
from solodark.pix2pix.discriminator import PatchDiscriminator
from solodark.pix2pix.generator import Unet, draw_weights
from solodark.pix2pix.history import Judgement, TrainingState
from solodark.pix2pix.patches import SensorPairs, SubPairs
from solodark.pix2pix.players import make_players, train_step
from solodark.pix2pix.sensor_channels import SensorView
from solodark.pix2pix.training import Device, TrainingJob, make_fabric, train

CPU = Device(accelerator="cpu", precision="32-true")
UNET = NetworkSettings(kind="unet", in_channels=1, out_channels=1, width=8, depth=3)
CORRECTOR = NetworkSettings(kind="corrector", in_channels=12, out_channels=1, width=8, depth=2)
SHORT = TrainSettings(
    cfa_planes=False, width=8, depth=3, crop_px=32, batch_size=2, constant_epochs=2, decay_epochs=2
)
SERIES = np.repeat([0, 1], 3)


def sub_pairs(seed=1, shape=(48, 64)):
    rng = np.random.default_rng(seed)
    pattern = rng.gamma(0.5, 40.0, shape)
    subs = rng.poisson(1000.0 + pattern, (6, *shape)).astype(np.uint16)
    totals = np.stack([subs[:3].sum(0, dtype=np.uint32), subs[3:].sum(0, dtype=np.uint32)])
    return SubPairs(subs, totals, SERIES, Scaling(1000.0, 30.0), None, False)


def sensor_pairs(seed=1, shape=(48, 64)):
    """A model whose gain is too small: it trusts its maps where it should trust the sub."""
    rng = np.random.default_rng(seed)
    pattern = rng.gamma(0.5, 40.0, shape)
    wrong = rng.random(shape) < 0.1
    prediction = np.where(wrong, 0.0, pattern).astype(np.float32)
    above = (pattern + rng.normal(0.0, 5.0, (6, *shape))).astype(np.float32)
    views = [
        SensorView(
            above=sub,
            prediction=prediction,
            updated=prediction + 0.1 * (sub - prediction),
            doubt=np.where(wrong, 36.0, 1.0).astype(np.float32),
            uncertainty=np.where(wrong, 40.0, 1.0).astype(np.float32),
            changed=np.zeros(shape, np.float32),
            bias_map=np.zeros(shape, np.float32),
            dark_map=prediction,
            excess=np.ones(shape, np.float32),
            sigma_adu=5.0,
            is_mosaic=False,
        )
        for sub in above
    ]
    totals = np.stack([above[:3].sum(0, dtype=np.float64), above[3:].sum(0, dtype=np.float64)])
    return SensorPairs(views, totals, SERIES)


def no_word(estimator):
    return Judgement(1.0, 1.0)


def last_estimator(seen):
    """A validation that keeps what it is given."""
    return lambda estimator: Judgement(len(seen.append(estimator) or seen), 1.0)


def forget(state, complete):
    pass


def keep(path, state, complete):
    """Write the state down: a process of its own has no other way to tell."""
    tensors, description = complete().to_tensors()
    write_tensors(path, tensors, description, content="checkpoint")


def job(**changes):
    described = {
        "network": UNET,
        "settings": SHORT,
        "scaling": Scaling(1000.0, 30.0),
        "open_pairs": sub_pairs,
        "subs": range(6),
        "seed": 5,
        "validate": no_word,
        "on_epoch": forget,
    }
    return TrainingJob(**(described | changes))


def sensor_job(**changes):
    settings = replace(
        SHORT, preset="sensor", adversarial_weight=0.0, pixel_weight=1.0, learning_rate=1e-2
    )
    described = {"network": CORRECTOR, "open_pairs": sensor_pairs, "scaling": None}
    return job(**(described | {"settings": settings} | changes))


def trained(started, **how):
    """The state after the last epoch."""
    seen = []
    started = replace(started, on_epoch=lambda state, complete: seen.append((state, complete)))
    train(started, **({"device": CPU} | how))
    return seen[-1][1]()


def trained_by_two(started, path):
    train(replace(started, on_epoch=partial(keep, path)), device=replace(CPU, devices=2))
    return TrainingState.from_tensors(*read_tensors(path, content="checkpoint"), name="state")


def assert_same_weights(found, wanted, tolerance=0.0):
    assert found.tensors.keys() == wanted.tensors.keys()
    for name, tensor in wanted.tensors.items():
        assert found.tensors[name] == pytest.approx(tensor, abs=tolerance, rel=0), name


def test_the_fast_step_is_the_published_step():
    settings = replace(SHORT, learning_rate=1e-3)
    fabric = make_fabric(CPU)
    players = make_players(fabric, UNET, settings, seed=3)
    dice = torch.Generator().manual_seed(3)
    generator = Unet(1, 1, width=8, n_halvings=3)
    discriminator = PatchDiscriminator(2, width=8)
    draw_weights(generator, dice)
    draw_weights(discriminator, dice)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
    plain_g, plain_d = adam(generator.parameters()), adam(discriminator.parameters())
    cross_entropy = torch.nn.BCEWithLogitsLoss()
    for _ in range(5):
        subs, masters = torch.randn(2, 2, 1, 32, 32, generator=dice)
        measured = train_step(fabric, players, subs, masters, "unet", settings)
        made = generator(subs)
        false, true = discriminator(subs, made.detach()), discriminator(subs, masters)
        loss = cross_entropy(false, torch.zeros_like(false))
        loss = 0.5 * (loss + cross_entropy(true, torch.ones_like(true)))
        plain_d.zero_grad()
        loss.backward()
        plain_d.step()
        word = discriminator(subs, made)
        pixel = (made - masters).abs().mean()
        plain_g.zero_grad()
        (cross_entropy(word, torch.ones_like(word)) + 100.0 * pixel).backward()
        plain_g.step()
        assert float(measured.pixel) == pytest.approx(float(pixel.detach()), rel=1e-4)
        assert float(measured.discriminator) == pytest.approx(float(loss.detach()), rel=1e-3)


@pytest.mark.parametrize(
    ("instructions", "chosen"),
    [({"avx512_bf16": True}, "bf16-mixed"), ({"amx_bf16": True}, "bf16-mixed"), ({}, "32-true")],
)
def test_a_processor_trains_in_bf16_only_where_it_computes_in_it(monkeypatch, instructions, chosen):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions, raising=False)
    fabric = make_fabric(Device(accelerator="cpu"))
    assert fabric.strategy.precision.precision == chosen


@pytest.mark.parametrize("started", [job, sensor_job])
def test_training_in_bf16_learns_what_training_in_32_bits_learns(started):
    long = trained(started()).history
    short = trained(started(), device=replace(CPU, precision="bf16-mixed")).history
    losses = [[record.pixel_loss for record in history] for history in (short, long)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


@pytest.mark.parametrize("started", [job, sensor_job])
def test_a_training_taken_up_again_ends_with_the_same_weights(started):
    kept = {}

    def watch(state, complete):
        kept[state.epochs_done] = complete()

    train(started(on_epoch=watch), device=CPU)
    whole = kept[4]
    tensors, description = kept[2].to_tensors()
    resume = TrainingState.from_tensors(tensors, description, name="checkpoint")
    torch.manual_seed(99)  # what other programs do with torch's dice meanwhile
    again = trained(started(), resume=resume)
    assert_same_weights(again, whole)
    assert again.best_epoch == whole.best_epoch
    assert [r.pixel_loss for r in again.history] == [r.pixel_loss for r in whole.history]


def test_training_leaves_the_callers_dice_alone():
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    train(sensor_job(), device=CPU)
    assert torch.equal(torch.rand(3), expected)


@pytest.fixture
def spawnable(monkeypatch):
    """Let new processes find this module, and keep them from sharing a thread pool."""
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2]), *sys.path])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_two_processes_learn_what_one_learns_from_the_same_batches(spawnable, tmp_path):
    one = trained(sensor_job())
    two = trained_by_two(sensor_job(), tmp_path / "state")
    assert_same_weights(two, one, tolerance=2e-5)
    assert two.history[-1].pixel_loss == pytest.approx(one.history[-1].pixel_loss, rel=1e-4)


@pytest.mark.slow
def test_two_processes_play_the_published_game(spawnable, tmp_path):
    state = trained_by_two(job(), tmp_path / "state")
    assert state.epochs_done == 4
    assert state.history[-1].pixel_loss < state.history[0].pixel_loss
    assert state.history[-1].discriminator_loss > 0.0


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(SettingError, match="multiple"):
        train(job(), device=replace(CPU, devices=3))


@pytest.mark.parametrize("crop_px", [16, 36])
def test_crops_that_the_networks_cannot_take_are_refused(crop_px):
    with pytest.raises(SettingError, match="multiple of 8 px and at least 24 px"):
        train(job(settings=replace(SHORT, crop_px=crop_px)), device=CPU)


def test_the_smallest_crop_trains():
    assert trained(job(settings=replace(SHORT, crop_px=24))).epochs_done == 4


def test_the_learning_rate_falls_to_zero_in_the_second_half():
    rates = [record.learning_rate for record in trained(job()).history]
    assert rates[0] == rates[1] == SHORT.learning_rate
    assert rates[1] > rates[2] > rates[3] > 0.0


def test_the_best_network_in_validation_is_kept():
    words = iter([1.0, 3.0, 2.0, 2.5])
    state = trained(job(validate=lambda estimator: Judgement(next(words), 1.0)))
    assert (state.best_epoch, state.best_validation_subs) == (2, 3.0)
    assert [record.validation_subs for record in state.history] == [1.0, 3.0, 2.0, 2.5]


def test_where_no_night_can_tell_the_last_network_is_kept():
    state = trained(job(validate=lambda estimator: Judgement(float("nan"), 1.0)))
    assert state.best_epoch == 4


def test_a_corrector_never_becomes_worse_than_the_dark_model_it_began_as():
    words = iter([8.0, 1.0, 2.0, 3.0, 4.0])
    state = trained(sensor_job(validate=lambda estimator: Judgement(next(words), 1.0)))
    assert state.best_epoch == 0
    assert not state.best["last.weight"].any()


def test_the_corrector_learns_where_to_trust_the_sub():
    settings = replace(sensor_job().settings, constant_epochs=30, decay_epochs=10)
    seen = []
    train(sensor_job(settings=settings, validate=last_estimator(seen)), device=CPU)
    view = sensor_pairs().views[0]
    truth = np.mean([v.above for v in sensor_pairs().views[1:3]], axis=0)

    def error(pattern):
        return np.mean(np.clip(pattern - truth, -50.0, 50.0) ** 2)

    assert error(seen[-1].pattern(view)) < 0.5 * error(view.updated)


def ramp(seed=0):
    """Every brightness of 16 bits, in order along each row and each next row brighter."""
    values = np.linspace(0.0, 65_535.0, 64 * 64).reshape(64, 64).astype(np.uint16)
    total = 3 * values.astype(np.uint32)
    series = np.zeros(3, np.intp)
    return SubPairs(
        np.stack([values] * 3), total[None], series, Scaling(32_768.0, 5e3), None, False
    )


def test_identity_training_reproduces_a_16_bit_ramp():
    settings = replace(
        SHORT,
        depth=2,
        crop_px=64,
        adversarial_weight=0.0,
        constant_epochs=120,
        decay_epochs=180,
        learning_rate=5e-3,
        flips=False,
        batch_size=1,
    )
    seen = []
    shape = replace(UNET, depth=2, width=16)
    scaling = Scaling(32_768.0, 5e3)
    train(
        job(
            network=shape,
            settings=settings,
            scaling=scaling,
            open_pairs=ramp,
            subs=range(3),
            validate=last_estimator(seen),
        ),
        device=CPU,
    )
    image = ramp().subs[0].astype(np.float32)
    made = seen[-1].master(image, None)
    error = (made - image)[8:-8, 8:-8]
    step_of_8_bits = 65_536 / 256
    assert np.abs(error).max() < step_of_8_bits
    assert error.std() < step_of_8_bits / np.sqrt(12.0)


def contrast_of_a_sub(estimator):
    sub = sub_pairs().subs[0].astype(np.float32)
    return Judgement(1.0, estimator.master(sub, None).std() / sub.std())


def test_flat_grey_is_noticed_early():
    settings = replace(SHORT, adversarial_weight=0.0, learning_rate=0.0)
    with pytest.warns(SolodarkWarning, match="flat grey"):
        train(job(settings=settings, validate=contrast_of_a_sub), device=CPU)


def test_a_network_that_has_just_begun_may_be_flat():
    settings = replace(
        SHORT, adversarial_weight=0.0, learning_rate=0.0, constant_epochs=1, decay_epochs=1
    )
    state = trained(job(settings=settings, validate=contrast_of_a_sub))
    assert state.history[-1].contrast < 0.02


def test_a_state_that_lacks_a_part_is_refused():
    tensors, description = TrainingState(3).to_tensors()
    del description["history"]
    with pytest.raises(ModelFileError, match="--resume"):
        TrainingState.from_tensors(tensors, description, name="checkpoint")
