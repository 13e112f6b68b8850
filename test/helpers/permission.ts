/** The flag of Node's permission model, where it lets addons be loaded. */
export const permission = ['--permission', '--experimental-permission'].find((flag) =>
  [flag, '--allow-addons'].every((each) => process.allowedNodeEnvironmentFlags.has(each)),
);
