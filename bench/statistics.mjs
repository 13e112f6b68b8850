/** The value below which a share of the sorted values lies. */
export function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** Median and quartiles. */
export function quartiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), lower: quantile(sorted, 0.25), upper: quantile(sorted, 0.75) };
}

/** The exponent e of y ~ x^e: the slope of the least-squares line through the logarithms. */
export function fittedExponent(xs, ys) {
  const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const [u, v] = [xs.map(Math.log), ys.map(Math.log)];
  const [um, vm] = [mean(u), mean(v)];
  return mean(u.map((x, i) => (x - um) * (v[i] - vm))) / mean(u.map((x) => (x - um) ** 2));
}
