import { readFileSync } from 'node:fs';
import { html, raw } from 'hono/html';
import type { Ctx } from '../context.ts';

export type Html = ReturnType<typeof html>;
/** Nothing, where a piece of a page is left out. */
export const NOTHING = raw('');

/** Only our own files: no inline script or style, no frame around it, forms only to ourselves. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const sprite = new Map(
  [
    ...readFileSync(new URL('../../../shared/style/icons.svg', import.meta.url), 'utf8').matchAll(
      /<symbol id="([\w-]+)"[\s\S]*?<\/symbol>/g,
    ),
  ].map(([symbol, id]) => [id as string, symbol.replace(/\s+/g, ' ')]),
);

/** The symbols that a page uses, in the page: a reference into another file would be one more request. */
function spriteFor(body: string): Html {
  const used = new Set([...body.matchAll(/<use href="#([\w-]+)"/g)].map(([, id]) => id as string));
  const symbols = [...used].map((id) => sprite.get(id) ?? '').join('');
  return html`<svg class="sprite" aria-hidden="true">${raw(symbols)}</svg>`;
}

/** An icon of the sprite; it never carries meaning alone. */
export function icon(id: string, size: '' | 'sm' | 'lg' = ''): Html {
  return html`<svg class="icon${size && ` icon--${size}`}" aria-hidden="true"><use href="#${id}" /></svg>`;
}

const LOGO = raw(
  '<svg viewBox="2.2 1 19.6 22" aria-hidden="true"><path d="M12 2.5 20.2 7.2v9.6L12 21.5l-8.2-4.7V7.2z" fill="var(--accent)" stroke="var(--accent)" stroke-width="2.4" stroke-linejoin="round"/><circle cx="12" cy="10.2" r="2.6" fill="#fff"/><path d="M10.9 11.5h2.2l.9 5.1h-4z" fill="#fff" stroke="#fff" stroke-width=".6" stroke-linejoin="round"/></svg>',
);

/** Logo, heading and one line below it: the head of a card. */
export function heading(title: string, lead: string | Html): Html {
  return html`<div class="page-title"><span class="logo logo--page">${LOGO}</span><h1>${title}</h1><p class="muted">${lead}</p></div>`;
}

export function callout(kind: 'bad' | 'warn' | 'info' | 'ok' | 'plain', title: string, text: string | Html): Html {
  const sign = { bad: 'alert', warn: 'warn', info: 'info', ok: 'ok', plain: 'info' }[kind];
  return html`<div class="callout callout--${kind}" role="${kind === 'bad' ? 'alert' : 'status'}">${icon(sign)}<div><p><b>${title}</b> ${text}</p></div></div>`;
}

export interface Page {
  title: string;
  body: Html;
  /** What stands below the card; by default the name of this server. */
  foot?: Html;
  size?: 'card' | 'wide-card' | 'document';
  /** Files of `assets/`. */
  scripts?: readonly string[];
  status?: number;
}

/** A whole HTML page, never cached. */
export async function render(c: Ctx, publicUrl: string, page: Page): Promise<Response> {
  const size = page.size ?? 'card';
  const body = String(await page.body);
  const foot = String(
    await (page.foot ?? html`${icon('lock', 'sm')}<span>${new URL(publicUrl).host} · runs on your own server</span>`),
  );
  const main =
    size === 'document'
      ? html`<main class="document">${raw(body)}</main>`
      : html`<div class="center"><main class="center__card${size === 'wide-card' ? ' center__card--wide' : ''}">${raw(body)}</main><footer class="center__foot">${raw(foot)}</footer></div>`;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · Heex Keys</title>
<link rel="icon" href="/assets/logo.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/tokens.css">
<link rel="stylesheet" href="/assets/components.css">
<link rel="stylesheet" href="/assets/pages.css">
${(page.scripts ?? []).map((name) => html`<script src="/assets/${name}" defer></script>`)}
</head>
<body>
${spriteFor(body + foot)}
${main}
</body>
</html>
`;
  return c.body(String(await document), (page.status ?? 200) as 200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': POLICY,
    'Cache-Control': 'no-store',
    // Not `no-referrer`: with it a browser hides the Origin of our own forms, which older ones are checked by.
    'Referrer-Policy': 'same-origin',
  });
}

/** The letters of a person for the round sign before their name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const [first, last] = [words[0] ?? '', words.length > 1 ? (words.at(-1) ?? '') : ''];
  return [first, last]
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();
}
