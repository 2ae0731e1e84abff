import { Refusal } from '../domain/refusal.ts';

/** Live connections in one process; the server as a whole takes 10,000. */
const CONNECTED_MOST = 9_000;
/** Connections that have yet to prove themselves: in all, and from one address (many agents share one behind a NAT). */
const UNPROVEN_MOST = 2_000;
const UNPROVEN_FROM_ONE = 1_000;
/** An agent answers within a moment. Where there is no room left, one that has said nothing for this long gives way. */
const IDLE_MS = 2_000;
/** Failed proofs for one agent from one address in a minute: what one machine guesses is held against no other behind it. */
const FAILURES_A_MINUTE = 60;
/** Pairs of an address and an agent that are remembered; beyond that the oldest are forgotten. */
const COUNTED_MOST = 10_000;

interface Unproven {
  address: string;
  since: number;
  cut(): void;
}

const later = (code: 'rate_limited' | 'unavailable', seconds: number, detail: string) =>
  new Refusal(code, detail, [], { 'Retry-After': String(seconds) });

const idle = (connection: Unproven | undefined): boolean =>
  connection !== undefined && performance.now() - connection.since >= IDLE_MS;

/** Who may open a connection, and try a proof, now. */
export class Admission {
  /** In the order in which they opened. */
  readonly #unproven = new Set<Unproven>();
  readonly #from = new Map<string, Set<Unproven>>();
  readonly #failures = new Map<string, { count: number; until: number }>();

  /** @throws Refusal rate_limited, unavailable */
  check(ip: string | null, connected: number): void {
    if (connected + this.#unproven.size >= CONNECTED_MOST)
      throw later('unavailable', 30, 'As many agents are connected as this companion takes.');
    const own = this.#from.get(ip ?? '-');
    if (own && own.size >= UNPROVEN_FROM_ONE) this.#makeRoom(own);
    else if (this.#unproven.size >= UNPROVEN_MOST) this.#makeRoom(this.#unproven);
  }

  /** A connection opened that has yet to prove itself. @param cut ends it @returns to be called once that is decided */
  opened(ip: string | null, cut: () => void): () => void {
    const address = ip ?? '-';
    const connection = { address, since: performance.now(), cut };
    this.#unproven.add(connection);
    this.#from.set(address, (this.#from.get(address) ?? new Set()).add(connection));
    return () => this.#settled(connection);
  }

  /** Whether proofs for this agent failed so often from there that no more are looked at for now. */
  exhausted(ip: string | null, agentId: string): boolean {
    const known = this.#failures.get(`${ip} ${agentId}`);
    return known !== undefined && known.count >= FAILURES_A_MINUTE && known.until > performance.now();
  }

  failed(ip: string | null, agentId: string): void {
    const name = `${ip} ${agentId}`;
    const now = performance.now();
    const known = this.#failures.get(name);
    if (known && known.until > now) {
      known.count++;
      return;
    }
    // Put at the end, so that the first is the oldest.
    this.#failures.delete(name);
    this.#failures.set(name, { count: 1, until: now + 60_000 });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > COUNTED_MOST && oldest !== undefined) this.#failures.delete(oldest);
  }

  #makeRoom(among: ReadonlySet<Unproven>): void {
    const [oldest] = among;
    if (!oldest || !idle(oldest)) throw later('rate_limited', 1, 'Too many connections are opening at once.');
    this.#settled(oldest);
    oldest.cut();
  }

  #settled(connection: Unproven): void {
    this.#unproven.delete(connection);
    const own = this.#from.get(connection.address);
    own?.delete(connection);
    if (own?.size === 0) this.#from.delete(connection.address);
  }
}
