import { streamChange, streamTick } from '../contract/verify.ts';
import { createEventReader, type ServerEvent } from './events.ts';

export interface StreamOptions {
  url: string;
  headers: Readonly<Record<string, string>>;
  fetch: typeof fetch;
  /** Milliseconds since any moment. */
  time(): number;
  onChange(seq: number, kind: string, id: string): void;
  onReset(seq: number): void;
  /**
   * Everything up to `seq` was told. What it throws ends the connection.
   * @param companionNow the companion's clock, in milliseconds
   * @param sentAfter of the first tick of a connection: when that was asked for, by `time`
   */
  onTick(seq: number, companionNow: number, sentAfter: number | undefined): void;
  /** @param fault why, where it was not the companion that ended it; nothing that this throws goes anywhere */
  onDown(fault: Error | undefined): void;
  /** Silence after which the connection counts as dead, in milliseconds. */
  maxSilenceMs: number;
}

const LEAST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 5_000;

/**
 * Follows the stream of changes, connecting again after every end, each time later, until it is stopped.
 * @returns how to stop
 */
export function follow(options: StreamOptions): () => void {
  let stopped = false;
  let current: AbortController | undefined;
  let wake: (() => void) | undefined;

  async function run(): Promise<void> {
    let pause = LEAST_PAUSE_MS;
    // The id of the last event, to resume after it: what else than a number is in it, is the companion's affair.
    let last: string | undefined;
    while (!stopped) {
      current = new AbortController();
      let told = false;
      const fault = await listenOnce(options, current, last, (id) => {
        told = true;
        last = id;
      }).catch((error: Error) => error);
      try {
        options.onDown(stopped ? undefined : (fault ?? undefined));
      } catch {}
      if (stopped) return;
      pause = told ? LEAST_PAUSE_MS : Math.min(pause * 2, MOST_PAUSE_MS);
      await new Promise<void>((done) => {
        wake = done;
        const timer = setTimeout(done, pause * (0.5 + Math.random()));
        // A service that has nothing else to do may end.
        if (typeof timer === 'object') timer.unref();
      });
    }
  }
  void run();
  return () => {
    stopped = true;
    current?.abort();
    wake?.();
  };
}

async function listenOnce(
  options: StreamOptions,
  abort: AbortController,
  last: string | undefined,
  onTold: (id: string) => void,
): Promise<void> {
  let asked: number | undefined = options.time();
  const watch = createWatch(options.maxSilenceMs, () => abort.abort(new Error('the stream is silent')));
  try {
    const response = await options.fetch(options.url, {
      headers: {
        ...options.headers,
        Accept: 'text/event-stream',
        ...(last === undefined ? {} : { 'Last-Event-ID': last }),
      },
      signal: abort.signal,
      redirect: 'error',
    });
    if (!response.ok || !response.body)
      throw new Error(`the stream answers ${response.status} ${response.statusText}`.trimEnd());
    const read = createEventReader();
    const decoder = new TextDecoder();
    for await (const bytes of response.body) {
      watch.seen();
      for (const event of read(decoder.decode(bytes, { stream: true }))) {
        onTold(take(options, event, asked));
        if (event.name === 'tick') asked = undefined;
      }
    }
  } finally {
    // Also where what was told made no sense: nobody reads on.
    abort.abort();
    watch.end();
  }
}

/** @returns the event's id */
function take(options: StreamOptions, event: ServerEvent, asked: number | undefined): string {
  const id = event.id ?? '';
  const seq = Number.parseInt(id, 10);
  if (!Number.isSafeInteger(seq)) throw new Error('an event without a number');
  const data: unknown = JSON.parse(event.data);
  if (event.name === 'change') {
    const change = streamChange.parse(data);
    options.onChange(seq, change.kind, change.id);
  } else if (event.name === 'reset') options.onReset(seq);
  else if (event.name === 'tick') options.onTick(seq, streamTick.parse(data).now, asked);
  return id;
}

/** Calls back when nothing was seen for so long. */
function createWatch(ms: number, onSilence: () => void): { seen(): void; end(): void } {
  let timer = setTimeout(onSilence, ms);
  const unref = () => typeof timer === 'object' && timer.unref();
  unref();
  return {
    seen() {
      clearTimeout(timer);
      timer = setTimeout(onSilence, ms);
      unref();
    },
    end: () => clearTimeout(timer),
  };
}
