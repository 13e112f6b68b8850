// `prepublishOnly` of the checkout, whose manifest has an install script and names no packages of platforms.
console.error('Publish the folders that "npm run pack:packages" writes, not the checkout: see docs/publishing.md.');
process.exitCode = 1;
