import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const sources = globSync('{shared,companion,extension}/**/*.{ts,tsx}', { cwd: root });

/** The room of a file: its first folder, or in the two programs its second. */
function roomOf(file: string): string {
  const [top, second, third] = file.split('/');
  // What a service puts into itself is a room of its own: nobody here but services may depend on it.
  if (top === 'shared') return second === 'verifier' ? 'shared/verifier' : 'shared';
  return third === undefined ? `${top}/` : `${top}/${second}`;
}

const edge = ['shared', 'companion/domain', 'companion/store', 'companion/app'];
/** What each room may import, itself apart. A room that is not named here may not exist. */
const ALLOWED: Record<string, readonly string[]> = {
  shared: [],
  'shared/verifier': ['shared'],
  'companion/domain': ['shared'],
  'companion/store': ['shared', 'companion/domain'],
  'companion/app': ['shared', 'companion/domain', 'companion/store'],
  'companion/http': edge,
  'companion/verify': edge,
  'companion/identity': edge,
  'companion/agents': edge,
  // A client like the extension: it knows a companion by its contract alone.
  'companion/cli': ['shared'],
  'companion/': [...edge, 'companion/http', 'companion/verify', 'companion/identity', 'companion/agents', 'companion/'],
  'extension/messages': ['shared'],
  'extension/background': ['shared', 'extension/messages'],
  'extension/state': ['shared', 'extension/messages'],
  'extension/ui': ['shared', 'extension/messages', 'extension/state'],
  'extension/views': ['shared', 'extension/messages', 'extension/state', 'extension/ui'],
  'extension/entrypoints': [
    'shared',
    'extension/messages',
    'extension/background',
    'extension/state',
    'extension/ui',
    'extension/views',
  ],
};

const importsOf = (file: string) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    ([, path]) => path as string,
  );

test('every import points in the direction of the rooms', () => {
  const wrong: string[] = [];
  for (const file of sources) {
    const room = roomOf(file);
    const allowed = ALLOWED[room];
    if (!allowed) wrong.push(`${file} is in a room that is not planned`);
    for (const path of importsOf(file)) {
      if (!path.startsWith('.')) continue;
      const target = roomOf(relative(root, join(root, dirname(file), path)));
      if (target !== room && !allowed?.includes(target)) wrong.push(`${file} imports ${path}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(sources.length).toBeGreaterThan(30);
});

test('what both sides share imports nothing but zod', () => {
  const outside = sources
    .filter((f) => roomOf(f) === 'shared')
    .flatMap((f) => importsOf(f).filter((p) => !p.startsWith('.') && p !== 'zod/mini'));
  expect(outside).toEqual([]);
});

test('the in-process verifier needs nothing installed but zod: of Hono it knows the types', () => {
  const outside = sources
    .filter((f) => roomOf(f) === 'shared/verifier')
    .flatMap((f) => readFileSync(join(root, f), 'utf8').split('\n'))
    .filter((line) => /^import(?! type)[^'"]*['"](?!\.|node:crypto|zod\/mini)/.test(line));
  expect(outside).toEqual([]);
});

test('the domain knows no web framework, no database, no clock and no randomness', () => {
  const impure = sources.filter(
    (f) =>
      f.startsWith('companion/domain/') &&
      /from ['"](hono|kysely|better-sqlite3|node:)|Date\.now\(|new Date\(\)|Math\.random\(|crypto\./.test(
        readFileSync(join(root, f), 'utf8'),
      ),
  );
  expect(impure).toEqual([]);
});
