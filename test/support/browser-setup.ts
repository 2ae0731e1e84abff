import { build } from 'wxt';
import { findProgram, installMissing } from './programs.ts';

export default async function setup() {
  installMissing(['chromium', 'firefox-esr']);
  await build({ browser: 'chrome' });
  if (findProgram('firefox-esr')) await build({ browser: 'firefox' });
}
