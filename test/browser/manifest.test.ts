import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../dist/extension');

describe.each(['chrome-mv3', 'firefox-mv3'])('%s, as it is built', (folder) => {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'manifest.json'), 'utf8'));

  test('asks for nothing but what it needs, and for no site before a person names one', () => {
    expect(manifest.manifest_version).toBe(3);
    expect(manifest.permissions.toSorted()).toEqual([
      'activeTab',
      'alarms',
      'clipboardWrite',
      'notifications',
      'scripting',
      'storage',
    ]);
    expect(manifest.optional_host_permissions).toEqual(['https://*/*', 'http://127.0.0.1/*', 'http://*.localhost/*']);
    for (const wide of ['host_permissions', 'content_scripts', 'web_accessible_resources', 'externally_connectable']) {
      expect(manifest).not.toHaveProperty(wide);
    }
    expect(manifest.commands._execute_action.suggested_key.default).toBe('Alt+Shift+K');
  });

  test('runs its own scripts only, and none that are made of text', () => {
    const policy: string = manifest.content_security_policy.extension_pages;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe');
    const scripts = globSync('**/*.js', { cwd: join(root, folder) });
    expect(scripts.length).toBeGreaterThan(2);
    for (const script of scripts) {
      const text = readFileSync(join(root, folder, script), 'utf8');
      expect(text, script).not.toMatch(/\beval\(|new Function\(|https?:\/\/[^"'`]*\.js\b/);
      // A build for developers names the files that it was made of.
      expect(text.includes(join(root, '../..')), script).toBe(false);
    }
  });
});
