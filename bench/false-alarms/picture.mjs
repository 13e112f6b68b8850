// The curves of false words an hour against words missed, as SVG.
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [640, 380, 64, 48, 16, 170];
const COLOURS = ['#0b6e99', '#b3541e', '#4b7f3a', '#7a4fa3', '#8a1c3b', '#555555'];

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** `curves`: { name, points: [{ missed: percent, falseWords: an hour }] }[] */
export function picture(curves) {
  const points = curves.flatMap((curve) => curve.points);
  const mostMissed = Math.max(5, ...points.map(({ missed }) => missed));
  const decades = Math.ceil(Math.log10(Math.max(10, ...points.map(({ falseWords }) => falseWords))));
  const x = (missed) => LEFT + ((WIDTH - LEFT - RIGHT) * missed) / mostMissed;
  // Less than one word an hour is drawn at the bottom.
  const y = (rate) => {
    const height = HEIGHT - BOTTOM - TOP;
    return HEIGHT - BOTTOM - (height * Math.max(0, Math.log10(Math.max(rate, 1e-9)))) / decades;
  };
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
  ];
  for (let decade = 0; decade <= decades; decade++) {
    const at = y(10 ** decade).toFixed(1);
    out.push(`<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#ddd"/>`);
    out.push(`<text x="${LEFT - 8}" y="${at}" dy="4" text-anchor="end">${10 ** decade}</text>`);
  }
  for (let missed = 0; missed <= mostMissed; missed += mostMissed > 20 ? 5 : 1) {
    const at = x(missed).toFixed(1);
    out.push(`<text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${missed}</text>`);
  }
  const middle = (HEIGHT - BOTTOM + TOP) / 2;
  out.push(
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">words missed, %</text>`,
    `<text transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">false words an hour</text>`,
  );
  for (const [i, { name, points: some }] of curves.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    const places = some.map(
      ({ missed, falseWords }) => `${x(missed).toFixed(1)} ${y(falseWords).toFixed(1)}`,
    );
    out.push(`<path d="M${places.join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const place of places) {
      const [cx, cy] = place.split(' ');
      out.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`);
    }
    const at = TOP + 16 + 18 * i;
    out.push(`<text x="${WIDTH - RIGHT + 12}" y="${at}" fill="${colour}">${escaped(name)}</text>`);
  }
  return `${out.join('\n')}\n</svg>\n`;
}
