import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../companion/config.ts';
import { type Companion, startCompanion } from '../../companion/start.ts';

const SETUP_TOKEN = 'setup-token-of-the-demo';
export const DAY = 86_400_000;

type Json = Record<string, unknown>;

/** A companion on throw-away data, with a clock that starts in the past and only runs forward. */
export class World {
  readonly companion: Companion;
  readonly #folder: string;
  readonly #clock: { behind: number };

  private constructor(companion: Companion, folder: string, clock: { behind: number }) {
    this.companion = companion;
    this.#folder = folder;
    this.#clock = clock;
  }

  /** @param daysAgo where the clock starts */
  static async open(port: string, daysAgo: number): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'heex-demo-'));
    // Also when it ends by an error, or before it was up.
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const clock = { behind: daysAgo * DAY };
    const env = { HEEX_PORT: port, HEEX_DATA: folder, HEEX_SETUP_TOKEN: SETUP_TOKEN, HEEX_KEY_LIMIT: '50' };
    const quiet = () => {};
    const companion = await startCompanion(readConfig(env), quiet, () => Date.now() - clock.behind);
    return new World(companion, folder, clock);
  }

  /** Moves the clock to that many days before the present. It never goes back. */
  goTo(daysAgo: number): void {
    this.#clock.behind = Math.min(this.#clock.behind, daysAgo * DAY);
  }

  now(): number {
    return Date.now() - this.#clock.behind;
  }

  /** Calls the companion as any client does; an unexpected status ends the demo. */
  async call<T = Json>(
    method: string,
    path: string,
    token?: string,
    body?: Json,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await fetch(this.companion.url + path, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }

  /** Makes the workspace. @returns its id and the owner's session token */
  async setUp(workspace: string, person: { name: string; email: string; password: string }) {
    const made = await this.call<{ session: { token: string }; workspace: { id: string } }>(
      'POST',
      '/v1/setup',
      undefined,
      {
        token: SETUP_TOKEN,
        workspace,
        ...person,
      },
    );
    return { id: made.workspace.id, token: made.session.token };
  }

  async close(): Promise<void> {
    await this.companion.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
