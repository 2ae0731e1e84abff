import { connect, signIn } from '../../test/support/connect.ts';
import { ExtensionBrowser } from '../../test/support/extension.ts';
import { findProgram } from '../../test/support/programs.ts';

/** Whether a window would have somewhere to be. */
export function hasDisplay(): boolean {
  const onLinux = process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY;
  return process.platform === 'linux' ? Boolean(onLinux) : !process.env.SSH_CONNECTION && !process.env.CI;
}

/**
 * A Chromium with the built extension, signed in and connected as that person.
 * @returns undefined where there is no Chromium
 */
export async function connectedBrowser(url: string, person: { email: string; password: string }) {
  if (!findProgram('chromium')) return undefined;
  const browser = await ExtensionBrowser.launch();
  const tab = await browser.browser.newPage();
  await signIn(tab, url, person);
  await connect(browser, tab, url);
  return { browser, tab };
}
