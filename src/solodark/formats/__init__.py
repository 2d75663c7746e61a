"""Files: frames of every format a camera or a program writes, read by rows; masters written."""

from solodark.formats.atomic import atomic_write, file_sha256
from solodark.formats.find import find_frame_paths, is_frame_path
from solodark.formats.lights import write_light
from solodark.formats.masters import TARGETS, write_master
from solodark.formats.open_frame import OpenFrame
from solodark.formats.pictures import write_picture, write_picture_tiff
from solodark.formats.planes import open_light, read_master
from solodark.formats.readers import READERS, open_frame, read_acquisition, read_frame
from solodark.formats.writers import WRITERS, write_frame

__all__ = [
    "READERS",
    "TARGETS",
    "WRITERS",
    "OpenFrame",
    "atomic_write",
    "file_sha256",
    "find_frame_paths",
    "is_frame_path",
    "open_frame",
    "open_light",
    "read_acquisition",
    "read_frame",
    "read_master",
    "write_frame",
    "write_light",
    "write_master",
    "write_picture",
    "write_picture_tiff",
]
