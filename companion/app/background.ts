/** Work that an answer does not wait for. */
export interface Background {
  /** Starts it now. A failure is logged by the name of the work, with nothing of what it was about. */
  run(name: string, work: () => Promise<unknown>): void;
  /** Resolves when everything begun has ended. */
  idle(): Promise<void>;
}

export function createBackground(failed: (name: string, error: unknown) => void): Background {
  const running = new Set<Promise<void>>();
  return {
    run(name, work) {
      const one: Promise<void> = Promise.resolve()
        .then(work)
        .then(
          () => {},
          (error: unknown) => failed(name, error),
        )
        .finally(() => running.delete(one));
      running.add(one);
    },
    async idle() {
      while (running.size) await Promise.all(running);
    },
  };
}
