// Reads the QR code that is drawn in a terminal with half blocks, as a phone's camera would: light modules are drawn, on a dark ground.
import jsqr from 'jsqr';

const UPPER = '▀█';
const LOWER = '▄█';
const SCALE = 4;

export function readQr(output) {
  const rows = output.replace(/\x1b\[[0-9;]*m/g, '').split('\n').filter((line) => /[▀▄█]{3}/.test(line));
  const width = Math.max(...rows.map((row) => [...row].length));
  const drawn = rows.flatMap((row) => [UPPER, LOWER].map((half) => Array.from({ length: width }, (_, at) => half.includes([...row][at] ?? ' '))));
  return scan(drawn, true) ?? scan(drawn, false);
}

function scan(drawn, drawnIsLight) {
  const quiet = 4;
  const side = (length) => (length + 2 * quiet) * SCALE;
  const [width, height] = [side(drawn[0]?.length ?? 0), side(drawn.length)];
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = drawn[Math.floor(y / SCALE) - quiet]?.[Math.floor(x / SCALE) - quiet];
      const light = cell === undefined || cell === drawnIsLight;
      pixels.fill(light ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return jsqr(pixels, width, height)?.data;
}
