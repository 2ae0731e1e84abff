import { defineConfig } from 'wxt';

// What an extension page may load and call. Plain http is for this computer only, as where addresses are typed. Vite's
// development server adds what it needs to `script-src` by itself, and injects styles.
const contentSecurityPolicy = (development: boolean) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self'${development ? " 'unsafe-inline'" : ''}`,
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' https: http://localhost:* http://*.localhost:* http://127.0.0.1:*${development ? ' ws:' : ''}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

export default defineConfig({
  srcDir: 'extension',
  publicDir: 'extension/public',
  outDir: 'dist/extension',
  // Firefox would default to Manifest V2, which silently drops optional_host_permissions.
  manifestVersion: 3,
  imports: false,
  vite: () => ({
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  }),
  // Without this the sources zip holds the whole folder, a local database among it.
  zip: { excludeSources: ['companion/**', 'test/**', 'scripts/**', 'bench/**', 'data/**', '**/*.sqlite*'] },
  manifest: ({ browser, mode }) => ({
    name: 'Heex Keys',
    description: 'Your personal API keys for your team, one click away.',
    permissions: [
      'storage', // the session, the cached lists, and in memory the fresh secret
      'activeTab', // which page the popup was opened over, to offer inserting there
      'scripting', // inserting a secret into that page's focused field, on a click
      'alarms', // reading the list now and then, finishing what a stopped worker has left
      'notifications', // before a key expires
      'clipboardWrite', // copying a new secret although the click is some seconds old by then
    ],
    // One of these is asked for: the host of the server that the person types.
    optional_host_permissions: ['https://*/*', 'http://127.0.0.1/*', 'http://*.localhost/*'],
    content_security_policy: { extension_pages: contentSecurityPolicy(mode === 'development') },
    commands: {
      _execute_action: { suggested_key: { default: 'Alt+Shift+K' } },
    },
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
