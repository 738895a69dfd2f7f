#!/usr/bin/env python3
"""Golden values for image decoding and resizing, made with Pillow.

Usage: resize_golden.py > src/test/resources/dev/sidefade/data/images_golden.txt   (needs pillow and numpy)

Lines of the output:
  resize W H C  CHANNELS HEIGHT WIDTH CROP keep|stretch bilinear|bicubic  HEX     the noise image W x H x C, prepared; HEX: height x width x channels
  decode NAME TOLERANCE  W H C  HEX  BASE64         what the file of BASE64 decodes to
The noise image is made by the same generator in the test. PNG must decode exactly; JPEG decoders may differ slightly.
"""
import base64
import io
import math

import numpy as np
from PIL import Image, ImageOps

RESIZE = [  # source w, h, c; channels, height, width, crop
    (7, 5, 1, 1, 2, 3, 1), (28, 28, 1, 1, 14, 14, 1), (28, 28, 1, 3, 20, 20, 1), (33, 21, 3, 3, 8, 8, 1),
    (9, 9, 3, 3, 13, 20, 1), (64, 48, 3, 1, 31, 10, 1), (1, 1, 3, 3, 4, 4, 1), (5, 1, 1, 1, 5, 1, 1),
    (100, 3, 3, 3, 7, 7, 1), (200, 150, 3, 3, 5, 6, 1), (40, 30, 3, 3, 16, 16, 0.875), (30, 41, 3, 3, 15, 15, 0.9),
    (17, 17, 1, 1, 17, 17, 0.5), (12, 90, 3, 1, 9, 9, 0.7), (90, 12, 3, 3, 10, 10, 0.95), (16, 16, 3, 3, 16, 16, 1),
    (301, 7, 1, 1, 11, 11, 0.875), (23, 19, 3, 3, 8, 12, 0.8), (19, 50, 3, 3, 8, 12, 0.8),
]

# The same with what bilinear files of ours do not say: cubic, stretched before the crop, covering without a crop.
OTHERS = [(*spec, "keep" if spec[6] < 1 else "stretch", "bicubic") for spec in RESIZE[:12]] + [
    (40, 30, 3, 3, 16, 16, 0.875, "stretch", "bilinear"), (12, 90, 3, 1, 9, 9, 0.7, "stretch", "bicubic"),
    (40, 30, 3, 3, 16, 16, 1, "keep", "bilinear"), (12, 90, 3, 1, 9, 9, 1, "keep", "bicubic"),
    (61, 40, 3, 3, 14, 14, 14 / 31, "keep", "bicubic"), (300, 211, 1, 1, 10, 7, 1, "keep", "bicubic"),
]


def noise(w, h, c):
    state, out = w * 1000003 + h * 1009 + c, bytearray()
    for _ in range(w * h * c):
        state = (state * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        out.append(state >> 56)
    return np.frombuffer(bytes(out), np.uint8).reshape(h, w, c)


def image(a):
    return Image.fromarray(a[:, :, 0] if a.shape[2] == 1 else a)


def prepare(img, channels, height, width, crop, aspect, interpolation):
    img = img.convert("L" if channels == 1 else "RGB")
    filter = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}[interpolation]
    box_w, box_h = math.floor(width / crop + 1e-9), math.floor(height / crop + 1e-9)
    w, h = img.size
    if crop == 1 and (w, h) == (width, height):
        return img
    if aspect == "stretch":
        full = (box_w, box_h)
    elif box_h * w >= box_w * h:
        full = (max(box_w, box_h * w // h), box_h)
    else:
        full = (box_w, max(box_h, box_w * h // w))
    img = img.resize(full, filter)
    left, top = round((full[0] - width) / 2.0), round((full[1] - height) / 2.0)
    return img.crop((left, top, left + width, top + height))


def decode_line(name, tolerance, data, expected):
    a = np.atleast_3d(np.asarray(expected))
    h, w, c = a.shape
    print("decode", name, tolerance, w, h, c, a.tobytes().hex(), base64.b64encode(data).decode())


def saved(img, fmt, **options):
    buffer = io.BytesIO()
    img.save(buffer, fmt, **options)
    return buffer.getvalue()


def smooth(w, h):
    y, x = np.mgrid[0:h, 0:w]
    return np.stack([127 + 120 * np.sin(x / 5), 255 * y / h, 127 + 90 * np.cos((x + y) / 7)], -1).astype(np.uint8)


BILINEAR = [(*spec, "keep" if spec[6] < 1 else "stretch", "bilinear") for spec in RESIZE]
for w, h, c, *spec in BILINEAR + OTHERS:
    out = prepare(image(noise(w, h, c)), *spec)
    print("resize", w, h, c, *spec, out.tobytes().hex())

rgb, grey = image(noise(6, 5, 3)), image(noise(6, 5, 1))
rgba = Image.fromarray(noise(6, 5, 4), "RGBA")
decode_line("rgb.png", 0, saved(rgb, "PNG"), rgb)
decode_line("grey.png", 0, saved(grey, "PNG"), grey)
decode_line("rgba.png", 0, saved(rgba, "PNG"), rgba.convert("RGB"))
decode_line("grey-alpha.png", 0, saved(Image.fromarray(noise(6, 5, 2), "LA"), "PNG"), noise(6, 5, 2)[:, :, :1])
palette = rgb.quantize(11)
decode_line("palette.png", 0, saved(palette, "PNG"), palette.convert("RGB"))
bits = grey.point(lambda v: 255 * (v > 100)).convert("1")
decode_line("one-bit.png", 0, saved(bits, "PNG"), bits.convert("RGB"))
deep = (noise(6, 5, 1)[:, :, 0].astype(np.uint16) << 8) + 77
decode_line("sixteen-bit.png", 0, saved(Image.fromarray(deep), "PNG"), noise(6, 5, 1))
transparent = saved(rgb, "PNG", transparency=(1, 2, 3))
decode_line("transparent-colour.png", 0, transparent, rgb)

photo = Image.fromarray(smooth(37, 22))
for name, tolerance, img, options in [
    ("444.jpg", 2, photo, {"quality": 90, "subsampling": 0}),
    ("420.jpg", 2, photo, {"quality": 90}),
    ("progressive.jpg", 2, photo, {"quality": 90, "subsampling": 0, "progressive": True}),
    ("restarts.jpg", 2, photo, {"quality": 90, "subsampling": 0, "restart_marker_blocks": 2}),
    ("grey.jpg", 1, photo.convert("L"), {"quality": 90}),
]:
    data = saved(img, "JPEG", **options)
    decode_line(name, tolerance, data, Image.open(io.BytesIO(data)))
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x010F] = "camera"
    exif[0x0112] = orientation
    data = saved(Image.fromarray(smooth(11, 6)), "JPEG", quality=95, subsampling=0, exif=exif)
    decode_line(f"orientation-{orientation}.jpg", 2, data, ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
