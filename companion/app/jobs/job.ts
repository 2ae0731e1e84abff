import type { Deps } from '../deps.ts';

/** Something that the companion does by itself, again and again. */
export interface BackgroundJob {
  name: string;
  /** One line for the list of jobs. */
  summary: string;
  everyMs: number;
  /** Does it once. @returns what came of it, for the list: figures, never names */
  run(deps: Deps): Promise<string>;
}
