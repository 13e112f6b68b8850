// What `sonospike/datasets` gives: the splits of a data set, and the names of the layouts. They are no part of `sonospike`
// itself, so that a program that only uses a model does not load the layouts.
export { type LayoutName, layoutNames } from './layouts/index.js';
export type { Split, SplitOptions } from './split.js';
export { describeSplit, splitDataset, splitFolds } from './split.js';
