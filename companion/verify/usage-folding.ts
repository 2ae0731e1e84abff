import { setImmediate as otherWork, setTimeout as sleep } from 'node:timers/promises';
import type { Folder } from './usage-fold.ts';

interface Waiting {
  /** The number of the last use that is waited for. */
  upto: number;
  done(): void;
}

/** Adds what is pending to the counts, as far as somebody waits for it, and leaves room for other work between two slices. */
export class Folding {
  readonly #folder: Pick<Folder, 'newest' | 'step'>;
  /** In the order in which they came. */
  readonly #waiting: Waiting[] = [];
  #isRunning = false;

  /** @param folder must not throw */
  constructor(folder: Pick<Folder, 'newest' | 'step'>) {
    this.#folder = folder;
  }

  /** Resolves when every use that is written by now is added; what is written meanwhile is not waited for. */
  async all(): Promise<void> {
    const upto = this.#folder.newest();
    const added = new Promise<void>((done) => this.#waiting.push({ upto, done }));
    if (!this.#isRunning) void this.#run();
    await added;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const wait = this.#folder.step(next.upto, Math.max(...this.#waiting.map(({ upto }) => upto)));
      if (wait !== undefined) await (wait ? sleep(wait) : otherWork());
      else {
        this.#waiting.shift();
        next.done();
      }
    }
    this.#isRunning = false;
  }
}
