// CommonJS, so that `require` is lazy in Node and can be followed by bundlers: the ES module of `wavefile` has no default
// export, and its CommonJS module has nothing else.

/** The `wavefile` package, loaded when the first WAV is read or written. */
function wavefile(): typeof import('wavefile') {
  return require('wavefile') as typeof import('wavefile');
}

export = wavefile;
