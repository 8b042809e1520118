"""Pictures of the demo's rewards, drawn by code: one sheet for each."""

import math
from collections.abc import Callable

from config.demo.drawing import BRAND, COFFEE, CREAM, CREMA, CRUST, INK, KRAFT, WHITE, Sheet

OAT, SAGE, MIST, BLUSH, DUSK, SUN = (
    ("#efe4d0", "#e0d0b4"), ("#dbe8df", "#c4d8ca"), ("#e0e8ee", "#c9d6df"),
    ("#f2dfd6", "#e3c8bb"), ("#26333f", "#1b2630"), ("#f5e6b8", "#e8d294"),
)  # fmt: skip


def espresso() -> Sheet:
    sheet = Sheet(*OAT)
    sheet.shadow(240, 300, 120)
    sheet.oval(240, 292, 112, 20, WHITE)
    sheet.oval(240, 288, 78, 12, "#e4e0d6")
    sheet.ring(312, 228, 26, 26, 12, WHITE)
    sheet.blob([(172, 190), (176, 240), (196, 280), (240, 288), (284, 280), (304, 240), (308, 190), (240, 180)], WHITE)
    sheet.oval(240, 190, 68, 17, "#e4e0d6")
    sheet.oval(240, 192, 60, 13, COFFEE)
    sheet.oval(236, 191, 48, 9, CREMA)
    for x in (216, 244, 270):
        sheet.line([(x + 6 * math.sin(y / 11), y) for y in range(96, 160, 4)], 4, "#d8c8aa")
    return sheet


def flat_white() -> Sheet:
    """From above, with a leaf in the milk."""
    sheet = Sheet(*SAGE)
    sheet.box(0, 0, 480, 360, SAGE[0])
    sheet.oval(246, 190, 158, 158, SAGE[1])
    sheet.oval(240, 180, 156, 156, WHITE)
    sheet.ring(240, 180, 120, 120, 2, "#e0ddd2")
    sheet.box(330, 166, 420, 194, "#ece9df", 12)
    sheet.oval(240, 180, 108, 108, "#ece9df")
    sheet.oval(240, 180, 98, 98, CREMA)
    sheet.oval(240, 180, 90, 90, "#a66f47")
    for row in range(4):
        y, wide = 128 + row * 27, 22 + row * 13
        left, right = [(240 - wide, y - 4), (240 - wide * 0.6, y - 14)], [(240 + wide * 0.6, y - 14), (240 + wide, y - 4)]
        sheet.blob([(240, y + 22), *left, (240, y + 4), *right], CREAM)
    sheet.line([(240, 112), (240, 252)], 4, "#a66f47")
    return sheet


def carrot_cake() -> Sheet:
    sheet = Sheet(*BLUSH)
    sheet.shadow(240, 304, 150)
    sheet.oval(240, 296, 146, 22, WHITE)
    sheet.oval(240, 292, 118, 14, "#e9e5dc")
    sheet.shape([(136, 196), (322, 170), (344, 282), (136, 288)], "#c47b3f")
    sheet.shape([(322, 170), (366, 196), (364, 286), (344, 282)], "#a9642f")
    for y in (0, 44):
        sheet.shape([(136, 206 + y), (324 + y / 5, 182 + y), (327 + y / 5, 198 + y), (136, 222 + y)], CREAM)
    sheet.shape([(136, 176), (322, 148), (366, 176), (366, 198), (322, 172), (136, 204)], CREAM)
    sheet.shape([(136, 176), (322, 148), (366, 176), (200, 186)], WHITE)
    for x, y in ((160, 246), (214, 232), (262, 252), (302, 226), (188, 272), (284, 272)):
        sheet.box(x, y, x + 12, y + 4, "#e59a4c", 2)
    sheet.shape([(250, 168), (292, 152), (288, 170)], "#ee8434")
    for x, y in ((238, 152), (232, 164), (240, 174)):
        sheet.line([(254, 167), (x, y)], 5, BRAND)
    return sheet


def cold_brew() -> Sheet:
    sheet = Sheet(*MIST)
    sheet.shadow(240, 312, 80)
    sheet.shape([(178, 96), (302, 96), (288, 310), (192, 310)], "#f6fafc")
    sheet.shape([(183, 140), (297, 140), (286, 302), (194, 302)], COFFEE)
    sheet.shape([(183, 140), (297, 140), (294, 186), (186, 186)], "#7a4a30")
    for x, y in ((198, 150), (240, 140), (216, 190)):
        sheet.box(x, y, x + 40, y + 36, "#a67b60", 6)
        sheet.box(x + 6, y + 5, x + 24, y + 14, "#d9bfa9", 4)
    sheet.line([(262, 300), (292, 40)], 9, BRAND)
    sheet.oval(240, 96, 62, 9, "#dbe6ec")
    sheet.shape([(196, 120), (206, 120), (214, 290), (206, 290)], "#ffffff")
    return sheet


def five_off() -> Sheet:
    return _ticket(SUN, BRAND, _five)


def gift_card() -> Sheet:
    """A card with a ribbon around it."""
    sheet = Sheet(*BLUSH)
    sheet.box(98, 102, 398, 280, BLUSH[1], 18)
    sheet.box(90, 90, 390, 268, "#0a5a43", 18)
    for row in range(7):
        y = 108 + row * 22
        sheet.line([(108 + i, y + 6 * math.sin(i / 16 + row * 0.8)) for i in range(0, 266, 4)], 1.6, BRAND)
    sheet.box(142, 90, 168, 268, "#b3402f")
    sheet.box(90, 148, 390, 170, "#b3402f")
    for side in (-1, 1):
        sheet.blob([(155 + 4 * side, 159), (155 + 34 * side, 128), (155 + 62 * side, 140), (155 + 46 * side, 166)], "#c9542f")
        sheet.shape([(155, 160), (155 + 40 * side, 214), (155 + 22 * side, 220), (155 + 8 * side, 206)], "#c9542f")
    sheet.oval(155, 159, 15, 14, "#8a3a2d")
    sheet.line([(258, 206), (270, 198), (270, 244)], 9, CREAM)
    sheet.ring(304, 221, 19, 27, 9, CREAM)
    sheet.arc(362, 221, 22, 45, 315, 8, CREAM)
    for y in (214, 228):
        sheet.line([(334, y), (366, y)], 6, CREAM)
    return sheet


def ten_percent() -> Sheet:
    return _ticket(MIST, "#8f3f2e", _percent)


def _ticket(tones: tuple[str, str], ink: str, figure: Callable[[Sheet], None]) -> Sheet:
    """The house's own: a torn ticket with its stub."""
    sheet = Sheet(*tones)
    sheet.box(84, 110, 404, 262, tones[1], 14)
    sheet.box(76, 98, 396, 250, ink, 14)
    for y in (98, 250):
        sheet.oval(292, y, 11, 11, tones[0])
    for y in range(118, 240, 14):
        sheet.oval(292, y, 2.6, 2.6, tones[0])
    for row in range(6):
        y = 122 + row * 21
        sheet.line([(310 + i, y + 5 * math.sin(i / 7 + row)) for i in range(0, 72, 2)], 2, WHITE)
    figure(sheet)
    return sheet


def _five(sheet: Sheet) -> None:
    sheet.arc(150, 174, 34, 45, 315, 13, WHITE)
    for y in (164, 184):
        sheet.line([(102, y), (160, y)], 9, WHITE)
    sheet.line([(252, 138), (214, 138), (210, 172)], 13, WHITE)
    sheet.arc(226, 186, 27, 235, 500, 13, WHITE)


def _percent(sheet: Sheet) -> None:
    sheet.line([(118, 148), (136, 138), (136, 214)], 13, WHITE)
    sheet.ring(184, 176, 28, 42, 13, WHITE)
    sheet.line([(226, 214), (268, 138)], 9, WHITE)
    sheet.ring(230, 150, 13, 13, 6, WHITE)
    sheet.ring(264, 202, 13, 13, 6, WHITE)


def beans() -> Sheet:
    sheet = Sheet(*SAGE)
    sheet.shadow(240, 316, 100)
    sheet.shape([(160, 92), (320, 92), (332, 314), (148, 314)], KRAFT)
    sheet.shape([(160, 92), (184, 92), (176, 314), (148, 314)], "#a57c4f")
    sheet.box(156, 66, 324, 100, "#a57c4f", 5)
    sheet.box(156, 84, 324, 89, "#8d6840")
    sheet.box(184, 152, 304, 262, CREAM, 4)
    for x, y, turn in ((222, 196, -1), (264, 218, 1)):
        sheet.blob(
            [(x - 20, y + 8 * turn), (x - 8, y - 16), (x + 18, y - 10), (x + 20, y + 6), (x + 4, y + 17), (x - 16, y + 14)],
            COFFEE,
        )
        sheet.line([(x - 15, y + 9 * turn), (x - 2, y + 2), (x + 3, y - 3), (x + 15, y - 6 * turn)], 3, CREAM)
    sheet.box(206, 244, 282, 249, BRAND, 2)
    return sheet


def house_mug() -> Sheet:
    sheet = Sheet(*OAT)
    sheet.shadow(232, 312, 96)
    sheet.ring(326, 206, 44, 50, 18, "#0a5a43")
    sheet.box(148, 118, 316, 312, BRAND, 22)
    sheet.box(148, 118, 176, 312, "#0a5a43", 20)
    sheet.box(164, 118, 190, 312, BRAND)
    sheet.oval(232, 122, 84, 17, "#0a5a43")
    sheet.oval(232, 125, 74, 12, COFFEE)
    for row in range(5):
        sheet.line([(182 + i, 196 + row * 15 + 6 * math.sin(i / 12 + row)) for i in range(0, 106, 3)], 3, CREAM)
    return sheet


def cinema() -> Sheet:
    sheet = Sheet(*DUSK)
    sheet.shape([(240, 8), (56, 250), (424, 250)], "#34434f")
    sheet.box(70, 120, 262, 234, "#c9a24a", 8)
    sheet.box(80, 130, 252, 224, "#e3c069", 5)
    for y in (148, 176, 204):
        sheet.oval(70, y, 8, 8, "#2b3945")
        sheet.oval(262, y, 8, 8, "#2b3945")
    turns = [math.radians(36 * n - 90) for n in range(10)]
    sheet.shape([(166 + r * math.cos(t), 178 + r * math.sin(t)) for t, r in zip(turns, (37, 15) * 5, strict=True)], "#8a3a2d")
    sheet.shape([(292, 190), (392, 190), (376, 318), (308, 318)], WHITE)
    for i in range(3):
        sheet.shape([(302 + i * 34, 190), (319 + i * 34, 190), (323 + i * 22, 318), (312 + i * 22, 318)], "#b3402f")
    for i, (x, y) in enumerate(((300, 184), (324, 172), (350, 176), (376, 184), (312, 160), (340, 154), (364, 162))):
        sheet.oval(x, y, 19, 17, CREAM if i % 2 else "#f7edc6")
    return sheet


def tree() -> Sheet:
    sheet = Sheet("#dceaf0", "#c9d8b4")
    sheet.oval(372, 84, 34, 34, "#f3d27a")
    sheet.oval(110, 300, 200, 46, "#b4c99b")
    sheet.oval(330, 312, 220, 54, "#a3bd89")
    sheet.shape([(232, 178), (250, 178), (258, 308), (224, 308)], "#7b5638")
    sheet.line([(242, 236), (276, 200)], 8, "#7b5638")
    for x, y, r, tone in (
        (208, 152, 56, "#2c7d5b"),
        (278, 150, 58, "#15704f"),
        (242, 104, 58, "#1f7a57"),
        (262, 168, 44, "#0b6b4f"),
    ):
        sheet.oval(x, y, r, r, tone)
    for x, y in ((214, 130), (270, 118), (240, 160), (292, 164), (244, 84)):
        sheet.oval(x, y, 7, 7, "#c9542f")
    return sheet


def latte_class() -> Sheet:
    """Milk poured into a cup."""
    sheet = Sheet(*BLUSH)
    sheet.shadow(196, 312, 112)
    sheet.ring(280, 262, 30, 28, 13, WHITE)
    sheet.blob([(104, 220), (112, 270), (144, 306), (196, 312), (248, 306), (280, 270), (288, 220), (196, 206)], WHITE)
    sheet.oval(196, 220, 92, 22, "#e4e0d6")
    sheet.oval(196, 223, 82, 17, "#a66f47")
    sheet.blob([(168, 222), (186, 214), (198, 219), (212, 213), (230, 221), (198, 234)], CREAM)
    sheet.shape([(262, 92), (276, 98), (206, 220), (196, 220)], CREAM)
    sheet.ring(400, 92, 34, 40, 12, "#8b959b")
    sheet.shape([(250, 84), (282, 60), (384, 44), (410, 146), (318, 176), (284, 116)], "#aeb8bd")
    sheet.shape([(282, 60), (384, 44), (388, 60), (280, 80)], "#d5dcdf")
    sheet.shape([(384, 44), (410, 146), (392, 152), (366, 47)], "#97a2a8")
    return sheet


def flask() -> Sheet:
    sheet = Sheet(*SUN)
    sheet.shadow(240, 318, 62)
    sheet.box(190, 112, 290, 318, "#27414f", 16)
    sheet.box(190, 112, 210, 318, "#1c323e", 14)
    sheet.box(202, 112, 220, 318, "#27414f")
    sheet.box(200, 52, 280, 118, "#c8ced1", 10)
    sheet.box(200, 52, 216, 118, "#aab3b7", 8)
    sheet.box(190, 108, 290, 122, "#8e999e", 3)
    sheet.oval(246, 214, 27, 27, CRUST)
    sheet.blob([(230, 222), (238, 198), (258, 202), (262, 216), (250, 230), (234, 230)], "#27414f")
    sheet.line([(234, 226), (244, 216), (249, 211), (260, 204)], 3, CRUST)
    sheet.box(274, 140, 279, 290, INK, 2)
    return sheet
