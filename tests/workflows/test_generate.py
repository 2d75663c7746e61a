"""One new dark on disk becomes a master dark on disk."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData

from solodark.dark_model import generate
from solodark.errors import (
    FrameNotFoundError,
    ModelFileError,
    OutputError,
    SolodarkWarning,
    WrongSubError,
)
from solodark.formats import file_sha256, read_frame, write_frame
from solodark.workflows.generate import generate_file
from solodark.workflows.model_files import save_model


@pytest.fixture(scope="module")
def tonight(dark_nights):
    return dark_nights.later()[0].frame


@pytest.fixture
def sub(tonight, tmp_path):
    folder = tmp_path / "tonight"
    folder.mkdir()
    write_frame(folder / "sub.fits", tonight, pixel_type="uint16")
    return folder / "sub.fits"


def refused(error, sub, model, output, **options):
    """Give the sentence of a refusal, which leaves nothing behind."""
    before = sorted(output.parent.iterdir()) if output.parent.is_dir() else None
    with pytest.raises(error) as caught:
        generate_file(sub, model, output, **options)
    if before is not None:
        assert sorted(output.parent.iterdir()) == before
    return str(caught.value)


def test_the_file_holds_the_master_that_the_model_makes(dark_nights, tonight, sub, tmp_path):
    generate_file(sub, dark_nights.model, tmp_path / "master.fits")
    master = generate(dark_nights.model, tonight)
    found = CCDData.read(tmp_path / "master.fits")
    np.testing.assert_array_equal(found.data, master.data)
    np.testing.assert_array_equal(found.uncertainty.array, master.uncertainty)
    assert found.unit == "adu"
    with fits.open(tmp_path / "master.fits") as hdus:
        np.testing.assert_array_equal(hdus["FLAGS"].data, master.flags)


def test_the_summary_is_that_of_the_master(dark_nights, tonight, sub, tmp_path):
    summary = generate_file(sub, dark_nights.model, tmp_path / "master.fits")
    master = generate(dark_nights.model, tonight)
    assert summary.equivalent_subs == pytest.approx(master.equivalent_subs)
    assert summary.verdict.trusted
    assert summary.level_adu == pytest.approx(np.median(master.data))
    assert summary.uncertainty_adu == pytest.approx(np.median(master.uncertainty))
    assert summary.model_id == dark_nights.model.model_id
    assert summary.flags["HOT"] == np.count_nonzero(master.flags & 1) > 100
    assert summary.flags["EXTRAPOLATED"] == 0


def test_the_header_names_sub_model_and_worth(dark_nights, sub, tmp_path):
    generate_file(sub, dark_nights.model, tmp_path / "master.fits")
    header = fits.getheader(tmp_path / "master.fits")
    history = " ".join(header["HISTORY"]) + " ".join(header.get("COMMENT", []))
    assert dark_nights.model.model_id in history.replace(" ", "")
    assert file_sha256(sub)[:16] in history.replace(" ", "")
    assert header["EXPTIME"] == 180.0


def test_a_model_file_serves_as_well_as_a_model(dark_nights, sub, tmp_path):
    save_model(tmp_path / "camera.solodark", dark_nights.model)
    generate_file(sub, dark_nights.model, tmp_path / "one.fits")
    generate_file(sub, tmp_path / "camera.solodark", tmp_path / "two.fits")
    one, two = (read_frame(tmp_path / name).data for name in ("one.fits", "two.fits"))
    np.testing.assert_allclose(one, two, atol=0.05)


@pytest.mark.parametrize(
    ("target", "name", "unit_adu"),
    [
        ("siril", "master.fits", 1.0),
        ("astap", "master.fits", 1.0),
        ("ccdproc", "master.fits", 1.0),
        ("pixinsight", "master.xisf", 65535.0),
    ],
)
def test_each_program_gets_the_level_of_the_library(
    dark_nights, sub, tmp_path, target, name, unit_adu
):
    generate_file(sub, dark_nights.model, tmp_path / name, target=target)
    level = unit_adu * np.median(read_frame(tmp_path / name).data)
    assert level == pytest.approx(2041.0, abs=5.0)


def test_deepskystacker_gets_its_file_and_the_user_a_warning(dark_nights, sub, tmp_path):
    with pytest.warns(SolodarkWarning, match="DeepSkyStacker"):
        generate_file(sub, dark_nights.model, tmp_path / "master.fits", target="dss")
    assert (tmp_path / "master.fits").is_file()


def test_a_flipped_sub_leaves_no_file(dark_nights, tonight, tmp_path):
    flipped = tmp_path / "flipped.fits"
    write_frame(flipped, replace(tonight, data=tonight.data[::-1].copy()), pixel_type="uint16")
    said = refused(WrongSubError, flipped, dark_nights.model, tmp_path / "master.fits", force=True)
    assert "upside down" in said
    assert str(flipped) in said


def test_a_doubtful_sub_is_written_when_forced_and_the_header_keeps_the_doubt(
    dark_nights, tonight, tmp_path, rng
):
    leaked = tmp_path / "leaked.fits"
    light = rng.poisson(400.0, tonight.shape).astype(np.float32)
    write_frame(leaked, replace(tonight, data=tonight.data + light), pixel_type="uint16")
    assert "light" in refused(WrongSubError, leaked, dark_nights.model, tmp_path / "master.fits")
    summary = generate_file(leaked, dark_nights.model, tmp_path / "master.fits", force=True)
    assert not summary.verdict.trusted
    comments = "".join(fits.getheader(tmp_path / "master.fits")["COMMENT"]).replace(" ", "")
    assert summary.verdict.reasons[0].replace(" ", "")[:60] in comments


def test_the_sub_is_never_overwritten(dark_nights, sub):
    before = sub.read_bytes()
    assert "is the sub itself" in refused(OutputError, sub, dark_nights.model, sub)
    assert sub.read_bytes() == before


def test_a_missing_sub_a_missing_model_and_a_missing_folder_are_named(dark_nights, sub, tmp_path):
    output = tmp_path / "master.fits"
    gone = tmp_path / "gone.fits"
    assert str(gone) in refused(FrameNotFoundError, gone, dark_nights.model, output)
    no_model = tmp_path / "gone.solodark"
    assert str(no_model) in refused(FrameNotFoundError, sub, no_model, output)
    nowhere = tmp_path / "nowhere" / "master.fits"
    assert "there is no folder" in refused(OutputError, sub, dark_nights.model, nowhere)


def test_a_dark_given_as_the_model_is_refused(sub, tmp_path):
    assert "is not a solodark model" in refused(ModelFileError, sub, sub, tmp_path / "master.fits")


def test_interrupting_leaves_no_file(dark_nights, sub, tmp_path):
    def impatient(items, label, total=None):
        for item in items:
            if item == "file":
                raise KeyboardInterrupt
            yield item

    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        generate_file(sub, dark_nights.model, tmp_path / "master.fits", progress=impatient)
    assert sorted(tmp_path.iterdir()) == before
