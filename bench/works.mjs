/** How a unit is made of seconds or bytes, and which way is better. */
const UNITS = {
  s: { of: (s) => s, better: 'less' },
  ms: { of: (s) => s * 1e3, better: 'less' },
  us: { of: (s) => s * 1e6, better: 'less' },
  MB: { of: (bytes) => bytes / 1e6, better: 'less' },
  'clips/s': { of: (s) => 1 / s, better: 'more' },
};

const PATIENCE = 10; // seconds that the repeats of all works together should take
const LONG = 30; // seconds of a round, of which one is enough
const LEAST_REPEATS = 3; // of a shorter one

/**
 * Times several pieces of work by turns, so that what else the machine does falls on all alike; the first round warms
 * up, and shows how many of the repeats there is time for. Each work gives its seconds, or is timed here.
 */
export async function alternate(repeats, works) {
  const seconds = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  let rounds = repeats;
  for (let round = 0; round <= rounds; round++) {
    const begin = performance.now();
    for (const [name, work] of Object.entries(works)) {
      const start = performance.now();
      const own = await work();
      const taken = typeof own === 'number' ? own : (performance.now() - start) / 1000;
      if (round > 0) seconds[name].push(taken);
    }
    if (round === 0) rounds = Math.min(repeats, affordable((performance.now() - begin) / 1000));
  }
  return seconds;
}

/** The repeats that there is time for. */
function affordable(secondsOfRound) {
  return secondsOfRound > LONG ? 1 : Math.max(LEAST_REPEATS, Math.round(PATIENCE / secondsOfRound));
}

/**
 * Rows of the report from what `alternate` gave.
 * @param about `suite`, `what`, `unit`; `floor`: the least seconds (`floorOf`), of all or by name; `more`: further
 *   fields by name
 */
export function rows({ suite, what, unit, floor, more = {} }, seconds) {
  const { of, better } = UNITS[unit];
  return Object.entries(seconds).map(([who, values]) => {
    const least = typeof floor === 'function' ? floor : floor?.[who];
    const row = { suite, what, who, unit, better, values: values.map(of) };
    return { ...row, ...(least && { floor: () => of(least()) }), ...more[who] };
  });
}

/** Rows of which each is compared with the one before it. */
export function chained(list) {
  return list.map((row, i) => (i === 0 ? row : { ...row, compare: [row.who, list[i - 1].who] }));
}
