// Draws icon.png: three lines of code of which the last is still a ghost, with the cursor before it. Run by hand, when
// the drawing changes: node media/icon.mjs
import { writeFileSync } from "node:fs";
import path from "node:path";
import { crc32, deflateSync } from "node:zlib";

const size = 128;
const samples = 4; // per pixel and axis
const bar = { height: 12, radius: 6 };

/** Later shapes lie on top. Lengths in pixels, colors red-green-blue, opacity 0 to 1. */
const shapes = [
  { x: 4, y: 4, width: 120, height: 120, radius: 26, top: [38, 52, 96], bottom: [22, 28, 58], opacity: 1 },
  { x: 26, y: 32, width: 46, ...bar, top: [126, 214, 255], opacity: 1 },
  { x: 80, y: 32, width: 22, ...bar, top: [255, 203, 107], opacity: 1 },
  { x: 38, y: 58, width: 58, ...bar, top: [195, 232, 141], opacity: 1 },
  { x: 26, y: 84, width: 20, ...bar, top: [126, 214, 255], opacity: 1 },
  { x: 51, y: 79, width: 4, height: 22, radius: 2, top: [255, 255, 255], opacity: 1 },
  { x: 60, y: 84, width: 42, ...bar, top: [255, 255, 255], opacity: 0.36 },
];

function contains({ x, y, width, height, radius }, px, py) {
  const dx = Math.max(x + radius - px, px - (x + width - radius), 0);
  const dy = Math.max(y + radius - py, py - (y + height - radius), 0);
  return dx * dx + dy * dy <= radius * radius;
}

function colorAt(px, py) {
  let color = [0, 0, 0, 0];
  for (const shape of shapes) {
    if (contains(shape, px, py)) {
      const depth = (py - shape.y) / shape.height;
      const paint = shape.top.map((channel, i) => channel + ((shape.bottom ?? shape.top)[i] - channel) * depth);
      color = [...paint.map((channel, i) => channel * shape.opacity + color[i] * (1 - shape.opacity)), Math.max(shape.opacity, color[3])];
    }
  }
  return color;
}

const rows = Buffer.alloc(size * (1 + size * 4)); // a zero filter byte before every row
for (let y = 0; y < size; y++) {
  for (let x = 0; x < size; x++) {
    const sum = [0, 0, 0, 0];
    for (let sample = 0; sample < samples * samples; sample++) {
      const [red, green, blue, alpha] = colorAt(
        x + ((sample % samples) + 0.5) / samples,
        y + (Math.floor(sample / samples) + 0.5) / samples,
      );
      [red * alpha, green * alpha, blue * alpha, alpha].forEach((value, i) => { sum[i] += value; });
    }
    const pixel = [...sum.slice(0, 3).map((channel) => (sum[3] === 0 ? 0 : channel / sum[3])), (sum[3] / samples ** 2) * 255];
    pixel.forEach((value, i) => { rows[y * (1 + size * 4) + 1 + x * 4 + i] = Math.round(value); });
  }
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

const header = Buffer.alloc(13);
header.writeUInt32BE(size, 0);
header.writeUInt32BE(size, 4);
header.set([8, 6, 0, 0, 0], 8); // eight bits, red-green-blue-alpha
writeFileSync(path.join(import.meta.dirname, "icon.png"), Buffer.concat([
  Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
  chunk("IHDR", header),
  chunk("IDAT", deflateSync(rows, { level: 9 })),
  chunk("IEND", Buffer.alloc(0)),
]));
