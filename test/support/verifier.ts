import { createVerifier, type Decision, type Verifier, type VerifierOptions } from '../../shared/verifier/index.ts';
import { type TestCompanion, testCompanion } from './companion.ts';
import { type KeyBench, keyBench } from './keys.ts';
import { type Line, line } from './tcp-proxy.ts';

/** A companion, keys, and services that verify them over a line that can be cut. */
export interface VerifierWorld {
  companion: TestCompanion;
  bench: KeyBench;
  /** Of a verifier credential. */
  secret: string;
  wire: Line;
  /** One that has the stream already. */
  verifier(options?: Partial<VerifierOptions>): Promise<Verifier>;
  /** Mends the line and ends the verifiers that a test made. */
  mend(): Promise<void>;
  end(): Promise<void>;
}

export async function verifierWorld(): Promise<VerifierWorld> {
  // The line has a port of its own, which is what its clients name as host.
  let url = '';
  const wire = await line(() => url);
  const companion = await testCompanion({ HEEX_PUBLIC_URL: wire.url });
  url = companion.url;
  const bench = await keyBench(companion);
  const { secret } = await bench.verifier();
  const made: Verifier[] = [];
  return {
    companion,
    bench,
    secret,
    wire,
    async verifier(options = {}) {
      const v = createVerifier({ url: wire.url, secret, timeoutMs: 500, maxSilenceMs: 1_500, ...options });
      made.push(v);
      if (!(await v.ready())) throw new Error('the verifier did not get ready');
      return v;
    },
    async mend() {
      wire.mend();
      await Promise.all(made.splice(0).map((v) => v.close()));
    },
    async end() {
      wire.close();
      await companion.end();
    },
  };
}

/** A decision from memory, without asking anybody. */
export function atOnce(decision: Decision | Promise<Decision>): Decision {
  if (decision instanceof Promise) throw new Error('it asked the companion');
  return decision;
}
