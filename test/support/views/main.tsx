import { render } from 'preact';
import { PUBLISHED, type PublishedName } from '../../../extension/messages/published.ts';
import { installBrowser } from './browser.ts';
import { SCENES } from './scenes.ts';

// Renders one scene, named in the address: `?scene=p2-keys`.
const scene = SCENES[new URLSearchParams(location.search).get('scene') ?? ''];
if (!scene) throw new Error(`There is no such scene. Scenes: ${Object.keys(SCENES).join(', ')}`);
installBrowser(scene.answers ?? {});

// Only now: these modules look for the browser when they are loaded.
const { browser } = await import('wxt/browser');
const { startState } = await import('../../../extension/state/boot.ts');
const { Popup } = await import('../../../extension/views/popup.tsx');
const { Workspace } = await import('../../../extension/views/workspace.tsx');

for (const [name, value] of Object.entries(scene.published ?? {})) {
  const { area, key } = PUBLISHED[name as PublishedName];
  await browser.storage[area].set({ [key]: value });
}
const kept = { ...scene.kept, ...(scene.route ? { 'route.popup': scene.route } : {}) };
for (const [name, value] of Object.entries(kept)) {
  await browser.storage.session.set({ [`page.${name}`]: value });
  await browser.storage.local.set({ [`page.${name}`]: value });
}
if (scene.hash) history.replaceState(null, '', `#${scene.hash}`);
const surface = scene.surface ?? 'popup';
document.body.className = surface;
await startState(surface);
render(surface === 'popup' ? <Popup /> : <Workspace />, document.getElementById('root') as HTMLElement);
