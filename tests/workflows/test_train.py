"""Darks become a network, and a network a master."""

import json
from dataclasses import replace

import numpy as np
import pytest

from solodark.dark_model import LearnSettings
from solodark.errors import (
    ModelFileError,
    NotEnoughFramesError,
    OutputError,
    SettingError,
    WrongSubError,
)
from solodark.formats import file_sha256, read_frame, write_frame
from solodark.frames import Acquisition, Camera, Frame
from solodark.pix2pix import PRESETS
from solodark.workflows.evaluate import evaluate_files
from solodark.workflows.generate import generate_file
from solodark.workflows.model_files import save_model
from solodark.workflows.networks import load_network
from solodark.workflows.train import train_files
from solodark.workflows.training_place import TrainingPlace

torch = pytest.importorskip("torch")

# Networks as small as these may well be flat grey after their few epochs; that they warn of it is
# tested beside the training itself.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*the network makes flat grey frames:solodark.errors.SolodarkWarning"
)

PAPER = replace(
    PRESETS["paper"],
    width=4,
    depth=3,
    crop_px=32,
    batch_size=4,
    constant_epochs=2,
    decay_epochs=2,
    learning_rate=2e-3,
)
SENSOR = replace(
    PRESETS["sensor"], width=8, depth=2, crop_px=64, batch_size=4, constant_epochs=3, decay_epochs=2
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def nights(dark_nights, tmp_path_factory):
    """Four later nights of four darks each, as files, and the model that has not seen them."""
    folder = tmp_path_factory.mktemp("nights")
    save_model(folder / "camera.solodark", dark_nights.model)
    for night in range(4):
        shots = dark_nights.later(days=2.0 + night, n=4, exposure_s=(120.0, 180.0)[night % 2])
        for i, shot in enumerate(shots):
            path = folder / f"night_{night}" / f"dark_{i}.fits"
            path.parent.mkdir(exist_ok=True)
            write_frame(path, shot.frame, pixel_type="uint16")
    return folder


def folders(nights):
    return sorted(nights.glob("night_*"))


@pytest.fixture(scope="module")
def paper(nights):
    output = nights / "paper.solodark"
    return train_files(folders(nights), output, settings=PAPER)


@pytest.fixture(scope="module")
def sensor(nights):
    output = nights / "sensor.solodark"
    return train_files(folders(nights), output, settings=SENSOR, prior=nights / "camera.solodark")


def test_nights_are_held_out_whole(nights, paper):
    assert (paper.n_training, paper.n_validation, paper.n_test) == (8, 4, 4)
    parts = [set(part) for part in load_network(paper.network_path).recipe["darks"].values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 16


def test_a_training_leaves_losses_pictures_and_a_page_and_no_decoded_darks(paper):
    folder = paper.report_path.parent
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.safetensors",
        "curves.png",
        "index.html",
        "losses.csv",
        "samples.png",
    }
    lines = (folder / "losses.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,learning_rate,pixel_loss")
    assert len(lines) == 1 + PAPER.epochs
    page = paper.report_path.read_text()
    assert page.count("data:image/png;base64,") == 2
    assert f"Worth {paper.test_subs:.2f} subs" in page


def test_a_network_makes_a_master_of_one_sub(nights, paper, dark_nights):
    sub = nights / "night_0" / "dark_0.fits"
    summary = generate_file(sub, None, nights / "m.fits", network=paper.network_path)
    master = read_frame(nights / "m.fits")
    assert master.shape == dark_nights.camera.shape
    assert abs(np.median(master.data) - np.median(read_frame(sub).data)) < 30.0
    assert summary.equivalent_subs == pytest.approx(paper.test_subs)
    assert "no dark model has examined the sub" in summary.verdict.reasons[0]


def test_a_sensor_network_is_never_worse_in_validation_than_the_dark_model(sensor):
    assert sensor.best_epoch >= 0
    assert sensor.start_subs > 3.0
    assert sensor.test_subs > 0.5 * sensor.start_subs


def test_a_sensor_network_makes_a_master_with_the_dark_models_uncertainty(nights, sensor):
    sub, model = nights / "night_0" / "dark_0.fits", nights / "camera.solodark"
    plain = generate_file(sub, model, nights / "plain.fits")
    ours = generate_file(sub, model, nights / "ours.fits", network=sensor.network_path)
    assert ours.uncertainty_adu == plain.uncertainty_adu
    difference = read_frame(nights / "ours.fits").data - read_frame(nights / "plain.fits").data
    assert np.abs(np.median(difference)) < 1.0
    assert difference.std() < 5.0


def test_a_sensor_network_can_learn_from_darks_that_its_camera_model_knows(
    nights, dark_nights, tmp_path
):
    for i, frame in enumerate(f for f in dark_nights.library if f.acquisition.exposure_s < 0.01):
        write_frame(tmp_path / f"bias_{i}.fits", frame, pixel_type="uint16")
    few = LearnSettings(ranks=(1,), n_random=2000, n_hot=400, rounds=1, iterations=1)
    own = train_files(
        [*folders(nights), tmp_path],
        tmp_path / "own.solodark",
        settings=replace(SENSOR, folds=2, constant_epochs=1, decay_epochs=1),
        learn_settings=few,
    )
    assert (own.n_training, own.n_validation, own.n_test) == (8, 4, 4)
    assert own.start_subs > 2.0
    assert own.test_subs > 0.5 * own.start_subs
    summary = generate_file(
        nights / "night_0" / "dark_0.fits",
        nights / "camera.solodark",
        tmp_path / "m.fits",
        network=own.network_path,
    )
    assert summary.output.is_file()


def test_the_table_has_a_row_for_the_network(nights, paper, sensor, dark_nights):
    fresh = nights / "fresh"
    fresh.mkdir()
    for i, shot in enumerate(dark_nights.later(days=20.0, n=3)):
        write_frame(fresh / f"dark_{i}.fits", shot.frame)
    for summary, row in ((paper, "network, pix2pix"), (sensor, "network, sensor")):
        table = evaluate_files(fresh, dark_nights.model, network=summary.network_path).table
        assert {"solodark", row} <= {r.name for r in table.rows}
        assert table.cell(row, "winsorised").equivalent_subs > 0.1


def test_darks_that_a_network_has_seen_do_not_judge_it(nights, paper, dark_nights):
    seen = load_network(paper.network_path).recipe["darks"]
    with pytest.raises(NotEnoughFramesError, match="the network was trained on it"):
        evaluate_files(
            [
                path
                for path in nights.glob("night_*/*.fits")
                if file_sha256(path) in seen["training"]
            ],
            dark_nights.model,
            network=paper.network_path,
        )


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(nights, paper, monkeypatch):
    output = nights / "killed.solodark"
    whole = TrainingPlace.save_epoch

    def killed(place, state, complete):
        whole(place, state, complete)
        if state.epochs_done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingPlace, "save_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        train_files(folders(nights), output, settings=PAPER)
    monkeypatch.undo()
    assert not output.exists()
    train_files(folders(nights), output, settings=PAPER, resume=True)
    found, wanted = load_network(output).weights, load_network(paper.network_path).weights
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def test_a_checkpoint_of_other_settings_is_refused(nights, paper):
    other = replace(PAPER, width=5)
    with pytest.raises(SettingError, match="other darks or settings"):
        train_files(folders(nights), nights / "paper.solodark", settings=other, resume=True)


def test_darks_that_the_dark_model_knows_cannot_train_its_correction(nights, dark_nights, tmp_path):
    known = replace(
        dark_nights.model.library,
        hashes=tuple(file_sha256(path) for path in nights.glob("night_*/*.fits")),
    )
    save_model(tmp_path / "camera.solodark", replace(dark_nights.model, library=known))
    with pytest.raises(NotEnoughFramesError, match="--leave-out"):
        train_files(folders(nights), tmp_path / "n.solodark", prior=tmp_path / "camera.solodark")


@pytest.mark.parametrize(
    ("settings", "prior", "said"),
    [(replace(SENSOR, folds=1), False, "--folds"), (PAPER, True, "leave out --prior")],
)
def test_preset_and_prior_must_belong_together(nights, tmp_path, settings, prior, said):
    model = nights / "camera.solodark" if prior else None
    with pytest.raises(SettingError, match=said):
        train_files(folders(nights), tmp_path / "n.solodark", settings=settings, prior=model)


def test_network_and_model_must_belong_together(nights, paper, sensor, tmp_path):
    sub, model = nights / "night_0" / "dark_0.fits", nights / "camera.solodark"
    with pytest.raises(SettingError, match="leave out -m"):
        generate_file(sub, model, tmp_path / "m.fits", network=paper.network_path)
    with pytest.raises(SettingError, match="with -m"):
        generate_file(sub, None, tmp_path / "m.fits", network=sensor.network_path)
    with pytest.raises(SettingError, match="--model"):
        generate_file(sub, None, tmp_path / "m.fits")
    with pytest.raises(ModelFileError, match="dark model"):
        generate_file(sub, None, tmp_path / "m.fits", network=model)
    assert not (tmp_path / "m.fits").exists()


def test_a_file_where_the_folder_belongs_is_named(nights, tmp_path):
    (tmp_path / "n.training").write_text("notes")
    with pytest.raises(OutputError, match=r"n\.training"):
        train_files(folders(nights), tmp_path / "n.solodark", settings=PAPER)


def test_a_sub_of_another_camera_is_refused(paper, tmp_path):
    acquisition = Acquisition(exposure_s=60.0, camera=Camera("Brand X"), cfa_pattern="RGGB")
    write_frame(tmp_path / "x.fits", Frame(np.zeros((64, 64)), acquisition))
    with pytest.raises(WrongSubError, match="Brand X"):
        generate_file(tmp_path / "x.fits", None, tmp_path / "m.fits", network=paper.network_path)


def test_settings_are_kept_with_the_weights(paper):
    trained = load_network(paper.network_path)
    assert trained.training == PAPER
    assert json.loads(json.dumps(trained.recipe))["versions"]["torch"]
