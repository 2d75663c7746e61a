"""The model file is exact, whole, and says so when it is not."""

import json
import zipfile

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from solodark.errors import FrameNotFoundError, ModelFileError, OutputError
from solodark.formats import model_file
from solodark.formats.model_file import read_arrays, write_arrays

DTYPES = st.sampled_from(["float32", "float64", "float16", "uint8", "uint16", "int32", "int64"])
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=9)


@pytest.fixture
def arrays(rng):
    return {
        "maps": rng.normal(size=(2, 40, 60)).astype(np.float32),
        "excess": rng.normal(size=(40, 60)).astype(np.float16),
        "component": np.zeros((40, 60), np.uint8),
        "states": rng.normal(size=(7, 1)),
    }


@pytest.fixture
def path(arrays, tmp_path):
    path = tmp_path / "camera.solodark"
    write_arrays(path, arrays, {"slope": 0.1, "names": ["dark_é.fits"]}, content="dark model")
    return path


def refusal(path):
    with pytest.raises(ModelFileError) as caught:
        read_arrays(path, content="dark model")
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def test_arrays_and_words_come_back_as_they_were(path, arrays):
    found, description = read_arrays(path, content="dark model")
    assert description == {"slope": 0.1, "names": ["dark_é.fits"]}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@given(array=DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, SHAPES)))
@settings(
    deadline=None,
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_array_comes_back_bit_by_bit(tmp_path, array):
    write_arrays(tmp_path / "one.solodark", {"one": array}, {}, content="dark model")
    found = read_arrays(tmp_path / "one.solodark", content="dark model")[0]["one"]
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == np.ascontiguousarray(array).tobytes()


def test_maps_larger_than_a_chunk_are_cut_into_bands_and_put_together(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(model_file, "_CHUNK_PIXELS", 500)
    maps = rng.normal(size=(2, 37, 60)).astype(np.float32)
    write_arrays(tmp_path / "big.solodark", {"maps": maps}, {}, content="dark model")
    with zipfile.ZipFile(tmp_path / "big.solodark") as archive:
        assert sum(name.startswith("maps/c/") for name in archive.namelist()) == 2 * 5
    found = read_arrays(tmp_path / "big.solodark", content="dark model")[0]["maps"]
    np.testing.assert_array_equal(found, maps)


def test_zarr_alone_reads_the_maps(path, arrays):
    with zarr.storage.ZipStore(path, mode="r") as store:
        maps = zarr.open_group(store=store, mode="r")["maps"][...]
    np.testing.assert_array_equal(maps, arrays["maps"])


def test_planes_that_are_nearly_all_zero_come_back_bit_by_bit(tmp_path):
    planes = np.zeros((3, 300, 500), np.float32)
    planes[1, 7, 9], planes[2, 299, 499] = 5.0, -0.0
    write_arrays(tmp_path / "sparse.solodark", {"planes": planes}, {}, content="dark model")
    found = read_arrays(tmp_path / "sparse.solodark", content="dark model")[0]["planes"]
    assert found.tobytes() == planes.tobytes()


def test_a_store_that_was_compressed_otherwise_is_refused(tmp_path):
    path = tmp_path / "other.solodark"
    with zarr.storage.ZipStore(path, mode="w") as store:
        root = zarr.create_group(store=store, attributes={"solodark": "{}"})
        root.create_array("maps", data=np.ones((4, 6)), compressors=None)
    assert "maps is stored by bytes, expected bytes, blosc, crc32c" in refusal(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", [2, 40, -60]),
        ("shape", [10**9, 10**9, 60]),
        ("shape", "wide"),
        ("data_type", "object"),
        ("chunk_grid", {"configuration": {"chunk_shape": [1, 0, 60]}}),
        ("chunk_grid", {"configuration": {"chunk_shape": [1, 40]}}),
        ("codecs", ["blosc"]),
    ],
)
def test_a_description_of_arrays_that_cannot_be_is_refused(path, tmp_path, key, value):
    forged = tmp_path / "forged.solodark"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(forged, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "maps/zarr.json":
                content = json.dumps(json.loads(content) | {key: value}).encode()
            new.writestr(entry.filename, content)
    assert "is damaged" in refusal(forged)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "is not a solodark model, or is cut off" in refusal(path)


def test_random_bytes_are_refused(tmp_path, rng):
    path = tmp_path / "noise.solodark"
    path.write_bytes(rng.bytes(5000))
    assert "is not a solodark model" in refusal(path)


def test_a_foreign_zip_is_refused(tmp_path):
    path = tmp_path / "holiday.solodark"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.txt", "sun")
    assert "is damaged" in refusal(path)


def test_a_zarr_store_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.solodark"
    with zarr.storage.ZipStore(path, mode="w") as store:
        zarr.create_group(store=store, attributes={"solodark": json.dumps({"format": "x"})})
    assert "file of another program" in refusal(path)


def test_another_content_is_named(path):
    with pytest.raises(ModelFileError, match=r"holds a dark model, expected a network$"):
        read_arrays(path, content="network")


def test_a_later_version_asks_for_an_update(tmp_path, arrays, monkeypatch):
    path = tmp_path / "future.solodark"
    monkeypatch.setattr(model_file, "_VERSION", 2)
    write_arrays(path, arrays, {}, content="dark model")
    monkeypatch.undo()
    assert "has version 2 of the format, expected 1; update solodark" in refusal(path)


def test_no_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FrameNotFoundError, match=r"nights.solodark: no such file"):
        read_arrays(tmp_path / "nights.solodark", content="dark model")


@given(
    where=st.one_of(st.floats(0.0, 0.9), st.floats(0.9, 1.0, exclude_max=True)),
    bit=st.integers(0, 7),
)
@settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_flipped_bit_is_noticed_or_harmless(path, arrays, where, bit):
    flipped = bytearray(path.read_bytes())
    flipped[int(where * len(flipped))] ^= 1 << bit
    damaged = path.with_name("damaged.solodark")
    damaged.write_bytes(flipped)
    assert_noticed_or_harmless(damaged, arrays)


def assert_noticed_or_harmless(path, arrays):
    try:
        found, _ = read_arrays(path, content="dark model")
    except ModelFileError:
        return
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_a_lost_chunk_is_noticed_and_not_taken_for_zeros(path, arrays):
    data = path.read_bytes()
    directory = data.rindex(b"PK\x01\x02")  # the last entry of the table of contents
    first = data.index(b"PK\x01\x02")
    for name in (b"maps/c/1/0/0", b"component/c/0/0"):
        place = data.index(name, first)
        assert place < directory + 200
        path.write_bytes(data[:place] + b"X" + data[place + 1 :])
        refusal(path)


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(path, arrays, monkeypatch):
    before, calls = path.read_bytes(), []

    def interrupt(shape):
        calls.append(shape)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return shape

    monkeypatch.setattr(model_file, "_chunks", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_arrays(path, arrays, {}, content="dark model")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_missing_folder_is_named(tmp_path, arrays):
    with pytest.raises(OutputError, match=r"nowhere"):
        write_arrays(tmp_path / "nowhere" / "a.solodark", arrays, {}, content="dark model")
