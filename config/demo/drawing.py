"""A sheet to draw flat pictures on: shapes in 480 × 360 units, drawn four times as large and made smooth by shrinking."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import IO

from PIL import Image, ImageDraw

type Point = tuple[float, float]

WIDTH, HEIGHT = 480, 360
SCALE, KEPT = 4, 2
STEPS = 16
INK, CREAM, WHITE, BRAND = "#141c2a", "#f4ead8", "#fbfaf6", "#0b6b4f"
COFFEE, CREMA, CRUST, KRAFT = "#4b2e20", "#b9835a", "#d99b52", "#b98d5e"


class Drawn(BytesIO):
    """A picture in memory, shaped like an upload."""

    def __init__(self) -> None:
        super().__init__()
        self.size: int | None = None
        self.file: IO[bytes] = self


class Sheet:
    """Paper in one tone, a table in another, and fine lines as on a banknote."""

    def __init__(self, wall: str, table: str) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), wall)
        self.draw = ImageDraw.Draw(self.image)
        fine = _mixed(wall, table, 0.5)
        for row in range(7):
            self.line([(x, 40 + 30 * row + 8 * math.sin(x / 26 + row * 0.9)) for x in range(-4, WIDTH + 8, 4)], 1.2, fine)
        self.box(0, 268, WIDTH, HEIGHT, table)

    def box(self, left: float, top: float, right: float, bottom: float, fill: str, radius: float = 0) -> None:
        self.draw.rounded_rectangle([_at(left), _at(top), _at(right), _at(bottom)], _at(radius), fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        self.draw.ellipse([_at(x - rx), _at(y - ry), _at(x + rx), _at(y + ry)], fill)

    def ring(self, x: float, y: float, rx: float, ry: float, width: float, fill: str) -> None:
        self.draw.ellipse([_at(x - rx), _at(y - ry), _at(x + rx), _at(y + ry)], None, fill, _at(width))

    def shape(self, points: Sequence[Point], fill: str) -> None:
        self.draw.polygon([(_at(x), _at(y)) for x, y in points], fill)

    def blob(self, points: Sequence[Point], fill: str) -> None:
        """A closed curve through the points."""
        self.shape(_curve(points), fill)

    def line(self, points: Sequence[Point], width: float, fill: str) -> None:
        self.draw.line([(_at(x), _at(y)) for x, y in points], fill, _at(width), "curve")

    def arc(self, x: float, y: float, radius: float, first: float, last: float, width: float, fill: str) -> None:
        """From one angle to the other in degrees, clockwise from the right."""
        turns = [math.radians(first + (last - first) * step / STEPS) for step in range(STEPS + 1)]
        self.line([(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns], width, fill)

    def shadow(self, x: float, y: float, rx: float) -> None:
        """Where a thing stands on the table."""
        table = self.image.getpixel((_at(4), _at(HEIGHT - 4)))
        assert isinstance(table, tuple), "the sheet is in colours"
        self.oval(x, y, rx, rx * 0.12, _mixed("#{:02x}{:02x}{:02x}".format(*table), INK, 0.16))

    def upload(self) -> Drawn:
        """As a form would hand it over."""
        out = Drawn()
        self.image.resize((WIDTH * KEPT, HEIGHT * KEPT), Image.Resampling.BOX).save(out, "PNG", compress_level=1)
        out.size = out.tell()
        return out


def _at(units: float) -> int:
    return round(units * SCALE)


def _mixed(one: str, other: str, share: float) -> str:
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _curve(points: Sequence[Point]) -> list[Point]:
    """Catmull and Rom's spline around the points."""
    count, found = len(points), []
    for i in range(count):
        before, start, end, after = (points[(i + k - 1) % count] for k in range(4))
        for step in range(STEPS):
            t = step / STEPS
            found.append((_spline(before[0], start[0], end[0], after[0], t), _spline(before[1], start[1], end[1], after[1], t)))
    return found


def _spline(before: float, start: float, end: float, after: float, t: float) -> float:
    slope, bend = end - before, 2 * before - 5 * start + 4 * end - after
    return start + 0.5 * t * (slope + t * (bend + t * (3 * (start - end) + after - before)))
