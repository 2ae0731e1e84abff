import type Database from 'better-sqlite3';
import { STREAM_TICK_MS } from '../../shared/contract/verify.ts';
import type { ChangeListener, ChangeStream } from '../app/deps.ts';
import { AT_ONCE, type Change } from '../store/feed.ts';
import { openReader } from '../store/sqlite.ts';

/** How often another process's changes are looked for; this process's own are told at once. */
const LOOK_EVERY_MS = 5;

/** A place in the feed. */
interface Position {
  seq: number;
  /** Of that change. */
  mark: string;
}
/** Before the first change. */
const START: Position = { seq: 0, mark: '' };
type MarkedChange = Change & Position;

const nameOf = ({ seq, mark }: Position) => (mark ? `${seq}-${mark}` : String(seq));

/** @returns undefined for an id that is none */
function readPosition(id: string): Position | undefined {
  const [, seq, mark] = /^(\d{1,15})(?:-([0-9A-F]{16}))?$/.exec(id) ?? [];
  return seq === undefined ? undefined : { seq: Number(seq), mark: mark ?? '' };
}

const event = (name: string, at: Position, data: object) =>
  `event: ${name}\nid: ${nameOf(at)}\ndata: ${JSON.stringify(data)}\n\n`;

interface Subscriber extends ChangeListener {
  /** The last change it was told of, or that did not concern it. */
  at: Position;
  /** The last change when it came and showed who it is. */
  readonly since: number;
}

/**
 * Server-sent events of the change feed (WHATWG HTML, 9.2), filtered to what concerns each verifier. The order is: what was
 * missed, or `reset` where that is no longer known; then `tick`, from which on the listener is up to date; then what changes.
 */
export class Changes implements ChangeStream {
  readonly #db: Database.Database;
  readonly #now: () => number;
  readonly #subscribers = new Set<Subscriber>();
  readonly #version: Database.Statement<[], number>;
  readonly #newest: Database.Statement<[], Position>;
  readonly #mark: Database.Statement<[number], string>;
  readonly #oldest: Database.Statement<[], number | null>;
  readonly #after: Database.Statement<[number, number], MarkedChange>;
  readonly #environment: Database.Statement<[string], string>;
  #seen = -1;
  #timer: NodeJS.Timeout | undefined;
  #ticked = 0;
  #stopped = false;

  /** @param now milliseconds since 1970-01-01 UTC */
  constructor(database: string, now: () => number) {
    this.#db = openReader(database);
    this.#now = now;
    this.#version = this.#db.prepare<[], number>('pragma data_version').pluck();
    this.#newest = this.#db.prepare('select seq, mark from change order by seq desc limit 1');
    this.#mark = this.#db.prepare<[number], string>('select mark from change where seq = ?').pluck();
    this.#oldest = this.#db.prepare<[], number | null>('select min(seq) from change').pluck();
    this.#after = this.#db.prepare(
      'select seq, mark, kind, id, workspace_id from change where seq > ? order by seq limit ?',
    );
    this.#environment = this.#db.prepare<[string], string>('select environment from api_key where id = ?').pluck();
  }

  listen(listener: ChangeListener): () => void {
    const newest = this.#newest.get() ?? START;
    const known = listener.after === undefined ? newest : readPosition(listener.after);
    const subscriber: Subscriber = { ...listener, at: known ?? newest, since: newest.seq };
    if (this.#stopped) {
      listener.end();
      return () => {};
    }
    if (!known || this.#isLost(known)) this.#reset(subscriber, newest);
    else this.#catchUp(subscriber);
    this.#tick(subscriber);
    this.#subscribers.add(subscriber);
    this.#timer ??= setInterval(() => this.#turn(), LOOK_EVERY_MS).unref();
    return () => {
      this.#subscribers.delete(subscriber);
      if (!this.#subscribers.size) this.#rest();
    };
  }

  get listeners(): number {
    return this.#subscribers.size;
  }

  poke(): void {
    if (this.#subscribers.size) this.#look();
  }

  stop(): void {
    this.#stopped = true;
    for (const subscriber of [...this.#subscribers]) subscriber.end();
    this.#subscribers.clear();
    this.#rest();
  }

  close(): void {
    this.stop();
    this.#db.close();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #turn(): void {
    this.#look();
    const time = performance.now();
    if (time - this.#ticked < STREAM_TICK_MS) return;
    this.#ticked = time;
    for (const subscriber of this.#subscribers) this.#tick(subscriber);
  }

  #look(): void {
    const version = this.#version.get() as number;
    if (version === this.#seen) return;
    // Of a database that was restored underneath it has to show anew who it is; then it is told to forget.
    for (const subscriber of [...this.#subscribers])
      if (this.#isLost(subscriber.at)) this.#end(subscriber);
      else this.#catchUp(subscriber);
    this.#seen = version;
  }

  /** Whether what comes after that change can no longer be told, or that change is none of this feed. */
  #isLost({ seq, mark }: Position): boolean {
    // Nothing is before the start, in whichever feed.
    if (seq === 0) return (this.#oldest.get() ?? 1) > 1;
    return this.#mark.get(seq) !== mark;
  }

  #catchUp(subscriber: Subscriber): void {
    const changes = this.#after.all(subscriber.at.seq, AT_ONCE + 1);
    const first = changes[0];
    if (!first) return;
    if (changes.length > AT_ONCE || first.seq !== subscriber.at.seq + 1) {
      this.#reset(subscriber, this.#newest.get() ?? START);
      return;
    }
    const { seq, mark } = changes.at(-1) as MarkedChange;
    subscriber.at = { seq, mark };
    const concerning = changes.filter((change) => this.#concerns(subscriber, change));
    if (concerning.length)
      subscriber.send(
        concerning.map((change) => event('change', change, { kind: change.kind, id: change.id })).join(''),
      );
    if (changes.some((change) => this.#ends(subscriber, change))) this.#end(subscriber);
  }

  #end(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    subscriber.end();
  }

  #concerns({ verifier }: Subscriber, { kind, id, workspace_id }: Change): boolean {
    if (workspace_id !== verifier.workspaceId) return false;
    if (kind === 'agent') return false;
    if (kind === 'verifier') return id === verifier.id;
    // A key that is gone can no longer be asked for its environment.
    return kind !== 'key' || (this.#environment.get(id) ?? verifier.environment) === verifier.environment;
  }

  /** A verifier that was changed or deleted has to show anew who it is; not for what it missed, such as its own making. */
  #ends({ verifier, since }: Subscriber, { seq, kind, id }: Change): boolean {
    return seq > since && kind === 'verifier' && id === verifier.id;
  }

  #reset(subscriber: Subscriber, newest: Position): void {
    subscriber.at = newest;
    subscriber.send(event('reset', newest, { now: this.#now() }));
  }

  #tick(subscriber: Subscriber): void {
    subscriber.send(event('tick', subscriber.at, { now: this.#now() }));
  }
}
