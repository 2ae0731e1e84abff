import { build } from 'wxt';
import { findProgram, installMissing } from './programs.ts';

export default async function setup() {
  installMissing(['chromium', 'firefox-esr']);
  // What is tested is what is shipped: for any other value, debugging information and the paths of this machine are built in.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  await build({ browser: 'chrome' });
  if (findProgram('firefox-esr')) await build({ browser: 'firefox' });
  process.env.NODE_ENV = NODE_ENV;
}
