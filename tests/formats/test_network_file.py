"""A network's file is read whole or refused with a reason."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solodark.errors import FrameNotFoundError, ModelFileError, OutputError
from solodark.formats.model_file import read_arrays, write_arrays
from solodark.formats.network_file import is_network_file, read_tensors, write_tensors

TENSORS = {"weight": np.arange(60, dtype=np.float32).reshape(3, 4, 5), "count": np.array(7)}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "network.solodark"
    write_tensors(path, TENSORS, {"preset": "paper", "width": 64}, content="network")
    return path


def test_what_was_written_is_read(path):
    tensors, description = read_tensors(path, content="network")
    assert description == {"preset": "paper", "width": 64}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert np.array_equal(tensors[name], tensor)


def test_tensors_may_lie_in_any_order_in_memory(tmp_path):
    turned = {"weight": TENSORS["weight"].transpose(2, 0, 1)}
    write_tensors(tmp_path / "n.solodark", turned, {}, content="network")
    tensors, _ = read_tensors(tmp_path / "n.solodark", content="network")
    assert np.array_equal(tensors["weight"], turned["weight"])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(where=st.floats(0.0, 1.0, exclude_max=True), bit=st.integers(0, 7))
def test_a_single_wrong_bit_is_noticed(path, where, bit):
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[int(where * len(whole))] ^= 1 << bit
    path.write_bytes(damaged)
    with pytest.raises(ModelFileError, match=path.name):
        read_tensors(path, content="network")
    path.write_bytes(whole)


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_file_that_is_cut_off_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelFileError, match="cut off"):
        read_tensors(path, content="network")


def test_a_dark_model_is_no_network(tmp_path):
    model = tmp_path / "camera.solodark"
    write_arrays(model, {"maps": np.ones((2, 3))}, {}, content="dark model")
    assert not is_network_file(model)
    with pytest.raises(ModelFileError, match="dark model"):
        read_tensors(model, content="network")


def test_a_network_is_no_dark_model(path):
    assert is_network_file(path)
    with pytest.raises(ModelFileError, match="--network"):
        read_arrays(path, content="dark model")


def test_weights_of_another_program_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file(TENSORS, tmp_path / "foreign.safetensors")
    with pytest.raises(ModelFileError, match="another program"):
        read_tensors(tmp_path / "foreign.safetensors", content="network")


def test_a_checkpoint_is_no_network(path):
    with pytest.raises(ModelFileError, match="holds a network, expected a checkpoint"):
        read_tensors(path, content="checkpoint")


def test_a_later_version_asks_for_a_newer_solodark(path, monkeypatch):
    monkeypatch.setattr("solodark.formats.network_file._VERSION", 2)
    write_tensors(path, TENSORS, {}, content="network")
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match="update solodark"):
        read_tensors(path, content="network")


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(FrameNotFoundError, match=r"no\.solodark"):
        read_tensors(tmp_path / "no.solodark", content="network")
    with pytest.raises(OutputError, match="nowhere"):
        write_tensors(tmp_path / "nowhere" / "n.solodark", TENSORS, {}, content="network")
