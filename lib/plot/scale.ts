/** From values to pixels, in a straight line. */
export interface Scale {
  (value: number): number;
  domain: readonly [number, number];
}

export function linearScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [from, to] = domain;
  const span = to - from || 1;
  const scale = (value: number) => range[0] + ((value - from) / span) * (range[1] - range[0]);
  return Object.assign(scale, { domain });
}

export interface Tick {
  value: number;
  label: string;
}

/** Round values within a domain, about as many as asked for: steps of 1, 2 or 5 times a power of ten. */
export function ticks(domain: readonly [number, number], about: number): Tick[] {
  const [low, high] = domain[0] <= domain[1] ? domain : [domain[1], domain[0]];
  const step = roundStep((high - low) / Math.max(1, about));
  if (!(step > 0) || !Number.isFinite(step)) return [{ value: low, label: label(low, 0) }];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found: Tick[] = [];
  // Counted in steps, so that rounding errors do not add up.
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    found.push({ value: i * step, label: label(i * step, digits) });
  }
  return found;
}

/** The same among whole numbers. */
export function wholeTicks(domain: readonly [number, number], about: number): Tick[] {
  const found = ticks(domain, about).filter(({ value }) => Math.abs(value - Math.round(value)) < 1e-9);
  return found.map(({ value }) => ({ value: Math.round(value), label: label(Math.round(value), 0) }));
}

/** The same among shares, named in percent. */
export function percentTicks(domain: readonly [number, number], about: number): Tick[] {
  return ticks([100 * domain[0], 100 * domain[1]], about).map(({ value, label: name }) => ({
    value: value / 100,
    label: name,
  }));
}

/** The nearest of 1, 2, 5, 10 … times a power of ten, by their ratio. */
function roundStep(wanted: number): number {
  if (!(wanted > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const share = wanted / power;
  const factor = share >= Math.sqrt(50) ? 10 : share >= Math.sqrt(10) ? 5 : share >= Math.SQRT2 ? 2 : 1;
  return factor * power;
}

function label(value: number, digits: number): string {
  const text = value === 0 ? '0' : value.toFixed(Math.min(digits, 12));
  return Math.abs(value) >= 1e6 ? value.toExponential(1) : text.replace('-', '\u2212');
}

/** Least and greatest of all finite values; [0, 1] where there are none. */
export function extent(values: Iterable<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A domain a little larger than the values, and never of no width. */
export function padded([low, high]: readonly [number, number], share = 0.05): [number, number] {
  const span = high - low || Math.abs(high) || 1;
  return [low - span * share, high + span * share];
}
