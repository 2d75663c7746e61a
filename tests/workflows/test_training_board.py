"""What TensorBoard is told of a training."""

import pickle
import sys

import numpy as np
import pytest

from solodark.errors import OutputError, SettingError
from solodark.pix2pix.history import EpochRecord
from solodark.report.training_page import samples_png
from solodark.workflows.training_board import open_board

pytest.importorskip("torch.utils.tensorboard")
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def record(epoch, pixel_loss=0.5, **changes):
    described = {
        "learning_rate": 1e-3,
        "adversarial_loss": 0.7,
        "discriminator_loss": 0.6,
        "seconds": 2.0,
    }
    return EpochRecord(epoch=epoch, pixel_loss=pixel_loss, **(described | changes))


def read(folder):
    return accumulator.EventAccumulator(str(folder)).Reload()


def curve(folder, tag):
    return {event.step: event.value for event in read(folder).Scalars(tag)}


def test_each_epoch_is_a_point_of_every_curve_that_was_measured(tmp_path):
    board = open_board(tmp_path / "new" / "board")
    for epoch, loss in enumerate((0.5, 0.25)):
        board.show_epoch(record(epoch, loss, validation_subs=2.0 + epoch))
    assert curve(board.folder, "loss/pixel") == {0: 0.5, 1: 0.25}
    assert curve(board.folder, "worth on other nights, subs") == {0: 2.0, 1: 3.0}
    assert "contrast over a master's" not in read(board.folder).Tags()["scalars"]


def test_a_training_taken_up_again_draws_no_epoch_twice(tmp_path):
    killed = open_board(tmp_path)
    for epoch in range(4):
        killed.show_epoch(record(epoch, 1.0))
    again = open_board(tmp_path)
    for epoch in (2, 3):
        again.show_epoch(record(epoch, 0.5))
    assert curve(tmp_path, "loss/pixel") == {0: 1.0, 1: 1.0, 2: 0.5, 3: 0.5}


def test_samples_are_shown_as_they_were_drawn(tmp_path):
    image = np.linspace(0.0, 1.0, 64, dtype=np.float32).reshape(8, 8)
    (tmp_path / "samples.png").write_bytes(samples_png({"the sub": image}))
    open_board(tmp_path).show_samples(tmp_path / "samples.png", 4)
    (shown,) = read(tmp_path).Images("samples")
    assert shown.step == 4
    assert shown.width > shown.height / 2 > 50


def test_another_process_can_be_given_the_board(tmp_path):
    board = pickle.loads(pickle.dumps(open_board(tmp_path)))  # noqa: S301  # our own bytes
    board.show_epoch(record(0))
    assert curve(tmp_path, "loss/pixel") == {0: 0.5}


def test_without_the_option_nothing_is_opened():
    assert open_board(None) is None


def test_where_tensorboard_is_missing_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SettingError, match=r"pip install 'solodark\[tensorboard\]'"):
        open_board(tmp_path)


def test_a_file_where_the_folder_belongs_is_named(tmp_path):
    (tmp_path / "board").write_text("notes")
    with pytest.raises(OutputError, match="board, the folder for TensorBoard"):
        open_board(tmp_path / "board")
