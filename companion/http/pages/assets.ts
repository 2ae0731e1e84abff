import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { notFound } from '../../domain/refusal.ts';
import type { App } from '../context.ts';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Asset {
  body: Buffer;
  type: string;
  etag: string;
}

/** The files of these folders, read once: nothing else can be asked for. */
function load(folders: readonly URL[]): Map<string, Asset> {
  const assets = new Map<string, Asset>();
  for (const folder of folders)
    for (const name of readdirSync(folder)) {
      const type = TYPES[extname(name)];
      if (!type) continue;
      const body = readFileSync(new URL(name, folder));
      assets.set(name, { body, type, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` });
    }
  return assets;
}

/** Serves style sheets and scripts. Browsers ask again each time, and are told that nothing changed. */
export function bindAssets(app: App): void {
  const assets = load([new URL('./assets/', import.meta.url), new URL('../../../shared/style/', import.meta.url)]);
  app.get('/assets/:name', (c) => {
    const asset = assets.get(c.req.param('name'));
    if (!asset) throw notFound();
    const headers = { ETag: asset.etag, 'Cache-Control': 'no-cache', 'Content-Type': asset.type };
    if (c.req.header('if-none-match') === asset.etag) return new Response(null, { status: 304, headers });
    return new Response(new Uint8Array(asset.body), { headers });
  });
}
