// The files that are read by their path, beside those that are imported. This is CommonJS with literal templates of
// `__dirname` because that is what @vercel/nft traces. In a bundle `__dirname` is another folder or is not defined.
export = typeof __dirname === 'string'
  ? {
      manifest: `${__dirname}/../../package.json`,
      model: `${__dirname}/../../models/digits.safetensors`,
      addons: `${__dirname}/../../../@sonospike`,
    }
  : null;
