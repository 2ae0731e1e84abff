import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBase62 } from '../shared/key-format.ts';
import { Agents } from './agents/agents.ts';
import { createBackground } from './app/background.ts';
import type { Deps } from './app/deps.ts';
import { startJobs } from './app/jobs/runner.ts';
import { openSetup } from './app/setup.ts';
import type { Config } from './config.ts';
import { createService } from './http/app.ts';
import type { Log } from './http/log.ts';
import { listen } from './http/server.ts';
import { createMailer } from './identity/mail.ts';
import { createOidc } from './identity/oidc.ts';
import { createPasskeys } from './identity/passkeys.ts';
import { createPasswords } from './identity/passwords.ts';
import { createSeal } from './identity/seal.ts';
import { createThrottle } from './identity/throttle.ts';
import { type DataFolder, openDataFolder } from './store/data-folder.ts';
import { openStore, type Store } from './store/store.ts';
import { createChecker } from './verify/checker.ts';
import { Changes } from './verify/stream.ts';
import { createRecorder } from './verify/usage.ts';

export interface Companion {
  /** Where it listens. */
  url: string;
  /** Printed while there is no owner. */
  setupLink: string | undefined;
  deps: Deps;
  stop(): Promise<void>;
}

/** What a browser may call this companion by, when HEEX_PUBLIC_URL does not say. */
function localNames(host: string, port: number): string[] {
  const literal = host.includes(':') ? `[${host}]` : host;
  // As browsers send it: without the port where that is the scheme's own.
  return [literal, 'localhost', '127.0.0.1', '[::1]'].map((name) => new URL(`http://${name}:${port}`).host);
}

/** A store that has its changes sent on before they are acknowledged. */
function announcing(opened: Store, changes: Changes): Store {
  return {
    ...opened,
    async transact(work) {
      const result = await opened.transact(work);
      // When services hear of it is up to the network; where this looked in vain, the next look, some milliseconds later, finds it.
      changes.poke();
      return result;
    },
  };
}

const newId = (prefix: string) => `${prefix}_${randomBase62(randomBytes, 20)}`;

/** What holds files, threads and connections, and so has to be closed. */
async function openParts(folder: DataFolder, config: Config, log: Log, now: () => number) {
  const changes = new Changes(folder.databaseFile, now);
  const store = announcing(openStore(folder), changes);
  // Seals what plain SQL wrote into the audit log while no companion ran.
  await store.transact(async () => {});
  // As a key object: made anew from its bytes for each hash, it would cost more than the hash.
  const hashKey = createSecretKey(folder.hashKey);
  const hashSecret = (secret: string) => createHmac('sha256', hashKey).update(secret).digest('hex');
  const usage = createRecorder(folder.activityFile, (error) => log('warn', 'activity not written yet', { error }));
  const checker = createChecker({ database: folder.databaseFile, now, hashSecret, usage });
  const agents = new Agents({
    store,
    now,
    randomBytes,
    newId,
    log,
    heartbeatSeconds: config.agentHeartbeatSeconds,
  });
  return { store, changes, usage, checker, agents, hashSecret };
}
type Parts = Awaited<ReturnType<typeof openParts>>;

async function createDeps(
  parts: Parts,
  folder: DataFolder,
  config: Config,
  log: Log,
  now: () => number,
): Promise<Deps> {
  const deps: Deps = {
    ...parts,
    now,
    randomBytes,
    newId,
    passwords: await createPasswords(),
    passkeys: createPasskeys(() => deps.config.publicUrl),
    oidc: createOidc(now, (step, fault) => log('warn', 'single sign-on failed', { step, fault })),
    throttle: createThrottle(),
    mailer: config.mail && createMailer(config.mail.smtpUrl, config.mail.from),
    warn: (message, fields) => log('warn', message, fields),
    background: createBackground((work, error) => {
      const { code, name } = error as { code?: string; name?: string };
      // Not the message: a mail server's may quote the address.
      log('warn', 'background work failed', { work, error: code ?? name });
    }),
    seal: createSeal(folder.hashKey, randomBytes),
    config: {
      publicUrl: config.publicUrl ?? '',
      keyLimit: config.keyLimit,
      plan: config.plan,
      requestDays: config.requestDays,
    },
  };
  return deps;
}

/** Listens, and only then knows its own name where the configuration does not say one. */
function serve(deps: Deps, config: Config, log: Log) {
  const { host, port, trustedProxies, metricsToken } = config;
  const ready = async () => {
    await deps.store.read.selectFrom('meta').select('name').limit(1).execute();
  };
  return listen(host, port, (actual) => {
    const names = localNames(host, actual);
    deps.config.publicUrl ||= `http://${names[0]}`;
    const hosts = new Set([...names, new URL(deps.config.publicUrl).host]);
    return createService({ deps, log, hosts, trustedProxies, metricsToken, ready });
  });
}

/**
 * Wires everything and listens.
 * @param now the clock, milliseconds since 1970-01-01 UTC; tests set their own
 */
export async function startCompanion(config: Config, log: Log, now: () => number = Date.now): Promise<Companion> {
  const folder = openDataFolder(config.dataFolder, config.hashKey, randomBytes);
  const parts = await openParts(folder, config, log, now);
  const { store, changes, usage, checker, agents } = parts;
  const deps = await createDeps(parts, folder, config, log, now);
  const listening = await serve(deps, config, log);
  const jobs = startJobs(deps);
  const token = await openSetup(deps, config.setupToken);
  return {
    url: `http://${localNames(config.host, listening.port)[0]}`,
    setupLink: token && `${deps.config.publicUrl}/setup#${token}`,
    deps,
    async stop() {
      changes.stop();
      // With what counting may take where its file is locked, this stays below ten seconds.
      await Promise.all([agents.stop(), jobs.stop(), listening.drain(5_500)]);
      // A mail server that hangs does not hold up the stop.
      const idle = Promise.race([deps.background.idle(), sleep(1_500, undefined, { ref: false })]);
      await Promise.all([idle, usage.close()]);
      checker.close();
      changes.close();
      await store.close();
    },
  };
}
