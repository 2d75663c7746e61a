"""Networks from the shell: trained, used, judged, and refused."""

import json

import pytest

from solodark.cli import main
from solodark.formats import read_frame

torch = pytest.importorskip("torch")

TINY = ["--width", "2", "--depth", "2", "--crop-px", "24", "--batch-size", "8", "--epochs", "2"]


@pytest.fixture
def shell(capsys):
    """Run a command; give its exit code and what it said."""

    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


@pytest.fixture
def network(photographer, shell, tmp_path):
    told = ["--tensorboard", tmp_path / "board", "--json"]
    code, said, _ = shell("train", photographer.darks, "-o", tmp_path / "n.solodark", *TINY, *told)
    assert code == 0
    return json.loads(said)


def test_a_network_is_trained_used_and_judged(photographer, learned, network, shell, tmp_path):
    assert network["epochs"] == 2
    assert network["n_validation"] == network["n_test"] == 5
    assert network["start_subs"] is None
    assert any((tmp_path / "board").iterdir())
    path, master = network["network_path"], tmp_path / "dark.fits"
    code, said, warned = shell("generate", photographer.sub, "--network", path, "-o", master)
    assert code == 0
    assert str(master) in said
    assert "no dark model has examined the sub" in warned
    assert read_frame(master).shape == (64, 96)
    code, said, _ = shell("evaluate", photographer.tonight, "-m", learned.path, "--network", path)
    assert code == 0
    assert "network, pix2pix" in said


def test_generate_wants_a_model_or_a_network(photographer, shell, tmp_path):
    code, _, said = shell("generate", photographer.sub, "-o", tmp_path / "dark.fits")
    assert code == 2
    assert "--model, --network, or both" in said


@pytest.mark.parametrize("way", ["--lights", "--exposure-s"])
def test_only_a_sub_goes_through_a_network(photographer, learned, shell, tmp_path, way):
    value = photographer.tonight if way == "--lights" else "60"
    words = ["generate", way, value, "-o", tmp_path / "dark.fits"]
    code, _, said = shell(*words, "-m", learned.path, "--network", "n.solodark")
    assert (code, "--network without a SUB" in said) == (2, True)
    code, _, said = shell(*words)
    assert (code, "--model FILE" in said) == (2, True)


def test_a_dark_model_is_no_network(photographer, learned, shell, tmp_path):
    code, _, said = shell(
        "generate", photographer.sub, "--network", learned.path, "-o", tmp_path / "dark.fits"
    )
    assert code == 2
    assert "dark model" in said
    assert str(learned.path) in said


def test_crops_that_do_not_fit_the_networks_are_refused(photographer, shell, tmp_path):
    output = tmp_path / "n.solodark"
    code, _, said = shell("train", photographer.darks, "-o", output, *TINY, "--crop-px", "16")
    assert code == 2
    assert "--crop-px" in said
    assert not output.exists()


def test_too_few_nights_are_refused(photographer, shell, tmp_path):
    output = tmp_path / "n.solodark"
    code, _, said = shell("train", photographer.tonight, "-o", output, *TINY)
    assert code == 2
    assert "three or more" in said
    assert not output.exists()
