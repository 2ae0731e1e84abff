import { defineConfig } from 'wxt';

export default defineConfig({
  srcDir: 'extension',
  outDir: 'dist/extension',
  // Firefox would default to Manifest V2, which silently drops optional_host_permissions.
  manifestVersion: 3,
  imports: false,
  vite: () => ({
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  }),
  // Without this the sources zip holds the whole folder, a local database among it.
  zip: { excludeSources: ['companion/**', 'test/**', 'scripts/**', 'bench/**', 'data/**', '**/*.sqlite*'] },
  manifest: ({ browser }) => ({
    name: 'Heex Keys',
    description: 'Your personal API keys for your team, one click away.',
    permissions: ['storage', 'activeTab', 'scripting', 'alarms', 'notifications', 'clipboardWrite'],
    // One of these patterns is asked for: the origin of the server that the person types.
    optional_host_permissions: ['https://*/*', 'http://*/*'],
    ...(browser === 'firefox'
      ? {
          browser_specific_settings: {
            gecko: {
              id: 'heex-keys@heex.example',
              strict_min_version: '142.0',
              data_collection_permissions: { required: ['none'] },
            },
          },
        }
      : { minimum_chrome_version: '123' }),
  }),
});
