// Pictures as strings of SVG. Nothing here, or in what is imported here, needs Node: a browser can load it.
export { COLOURS, type Colour, seriesColour, viridis } from './colours.js';
export { type PlottedComparison, plotComparison } from './comparison.js';
export { type PlottedEvaluation, plotEvaluation } from './evaluation.js';
export { type Area, type Block, DEFAULT_WIDTH, type FigureOptions, figure } from './figure.js';
export { type PlotPageEntry, plotPage } from './html.js';
export { type ObservationPlotOptions, plotObservation } from './observation.js';
export { type Axis, type Frame, type Panel, panelStack } from './panels.js';
export { type PlottedProtocol, plotProtocol } from './protocol.js';
export { linearScale, type Scale, type Tick, ticks } from './scale.js';
export type { PlottedObservation } from './timing.js';
export { type PlottedEpoch, plotTraining } from './training.js';
