/** The results as tables in Markdown, in the order of `tables`. */
export function tablesOf(variants, tables) {
  const parts = Object.entries(tables).map(([table, of]) => {
    const rows = of
      .map(({ name }) => variants.find((each) => each.table === table && each.name === name))
      .filter((found) => found !== undefined)
      .map(rowOf);
    return rows.length === 0 ? '' : [`### ${table}`, '', ...HEAD, ...rows, ''].join('\n');
  });
  return parts.filter((part) => part !== '').join('\n');
}

const HEAD = [
  '| | epochs | left-out speaker, mean | each fold | firing | parameters | dense | MACs | ACs | ECE |',
  '|---|---|---|---|---|---|---|---|---|---|',
];

function rowOf({ name, epochs, accuracy, perFold, firingRates, neurons, operations, calibrationError }) {
  const percent = (value) => `${(value * 100).toFixed(1)}%`;
  const millions = (value) => `${(value / 1e6).toFixed(2)} M`;
  const all = neurons.reduce((sum, n) => sum + n, 0);
  const firing = firingRates.reduce((sum, rate, k) => sum + rate * neurons[k], 0) / all;
  const { parameters, dense, effectiveMacs, effectiveAcs } = operations;
  return `| ${[
    name,
    epochs,
    percent(accuracy),
    perFold.map((fold) => (fold.accuracy * 100).toFixed(1)).join(' '),
    percent(firing),
    parameters.toLocaleString('en-US'),
    millions(dense),
    millions(effectiveMacs),
    millions(effectiveAcs),
    percent(calibrationError),
  ].join(' | ')} |`;
}
